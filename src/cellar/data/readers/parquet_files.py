"""Parquet files as hubs distribute data sets: which file is of which split, columns, names of classes, rows.

data/train-00000-of-00002.parquet, train.parquet or train/0000.parquet. pyarrow reads them, and is imported only then.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellar.data.foreign import check_is_data
from cellar.data.images import visible
from cellar.data.readers.split_folders import SPLIT_OF_NAME
from cellar.errors import CellarError, printable, reason

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

SUFFIX = ".parquet"
SHARD = re.compile(r"(?P<split>[A-Za-z_]+)(-(?P<number>\d{5})-of-(?P<count>\d{5}))?(-[0-9a-f]{8,})?\.parquet")
ROWS_AT_ONCE = 32  # images in memory beside the result
MAX_ROWS = 5_000_000


def is_parquet(path: Path) -> bool:
    """Whether `path` is a parquet file, or a folder of them."""
    return path.suffix == SUFFIX if path.is_file() else bool(find_files(path))


def find_files(path: Path) -> list[Path]:
    """The parquet file `path`, those in the folder `path`, or those in its folders of splits."""
    if path.is_file():
        return [path]
    entries = visible(path)
    inside = [file for entry in entries if is_named(entry.name) and entry.is_dir() for file in visible(entry)]
    files = [file for file in entries if file.suffix == SUFFIX] or [file for file in inside if file.suffix == SUFFIX]
    return [file for file in files if file.is_file()]


def is_named(name: str) -> bool:
    return name.casefold() in SPLIT_OF_NAME


def files_by_split(path: Path, more_names: Mapping[str, str]) -> dict[str, list[Path]]:
    """Split -> its files in order. `more_names`: names of splits beside the usual. Raises CellarError for a file of no
    split, for one split under two names, and for a file that is missing by the others' numbers."""
    splits = {**SPLIT_OF_NAME, **more_names}
    found: dict[str, dict[str, list[Path]]] = {}
    for file in find_files(path):
        name = name_of(file)
        split = splits.get(name.casefold().replace("_", ""))
        if split is None:
            known = ", ".join(SPLIT_OF_NAME)
            raise CellarError(f"{file} names no split, known: {known}; rename it to train-00000-of-00001.parquet or so")
        found.setdefault(split, {}).setdefault(name, []).append(file)
    for split, names in found.items():
        if len(names) > 1:
            first, second = list(names)[:2]
            raise CellarError(f"{path} has parquet files of both {first} and {second} for {split}; take one out")
    by_split = {split: files for split, names in found.items() for files in names.values()}
    for files in by_split.values():
        check_all_there(files)
    return by_split


def name_of(file: Path) -> str:
    """`train` of train-00000-of-00001.parquet, train.parquet and train/0000.parquet."""
    match = SHARD.fullmatch(file.name)
    return file.parent.name if match is None or is_named(file.parent.name) else match["split"]


def check_all_there(files: list[Path]) -> None:
    matches = [match for match in (SHARD.fullmatch(file.name) for file in files) if match and match["count"]]
    if not matches:
        return
    numbers = sorted(int(match["number"]) for match in matches)
    count = int(matches[0]["count"])
    whole = len(matches) == len(files) and all(int(match["count"]) == count for match in matches)
    if not whole or numbers != list(range(count)):
        missing = [f"{number:05d}-of-{count:05d}" for number in range(count) if number not in numbers]
        what = f"{matches[0]['split']}-{missing[0]} is missing" if missing else "files of several versions are mixed"
        raise CellarError(f"{files[0].parent}: {what}; get the data set's parquet files whole")


@contextmanager
def opened(path: Path) -> "Iterator[ParquetFile]":
    """Raises CellarError for whatever is no whole parquet file, also while it is read."""
    from pyarrow.parquet import ParquetFile

    check_is_data(path)
    try:
        with ParquetFile(path, pre_buffer=False) as file:
            if file.metadata.num_rows > MAX_ROWS:
                raise CellarError(f"{path} claims {file.metadata.num_rows:,} rows, over {MAX_ROWS:,}; get it again")
            yield file
    except CellarError:
        raise
    except Exception as error:  # a broken file can raise nearly anything
        raise CellarError(f"{path} is no whole parquet file ({reason(error)}); get it again") from None


def columns(path: Path) -> dict[str, Any]:
    """Name -> pyarrow's type of each column."""
    with opened(path) as file:
        return {field.name: field.type for field in file.schema_arrow}


def count_rows(path: Path) -> int:
    with opened(path) as file:
        return int(file.metadata.num_rows)


def class_names(path: Path, column: str) -> tuple[str, ...] | None:
    """The names of a column of class numbers, as the hub's metadata has them; None where it has none."""
    with opened(path) as file:
        content = (file.schema_arrow.metadata or {}).get(b"huggingface")
    if content is None:
        return None
    try:
        names = json.loads(content)["info"]["features"][column].get("names")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    if len(set(names)) != len(names):
        raise CellarError(f"{path}: two classes of {printable(column)} have one name; get the file again")
    return tuple(map(printable, names))


def rows(path: Path, names: list[str]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(row, its values in the columns `names`), the first row being 1."""
    row = 0
    with opened(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
            for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
                row += 1
                yield row, values
