"""FER2013 as a table: the competition's fer2013.csv or icml_face_data.csv, also packed or as parquet.

Columns emotion (0 angry .. 6 neutral), pixels (2304 numbers) and Usage, in any order.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from cellar.config.validation_errors import likely
from cellar.data.class_names import NUMBERED
from cellar.data.faces import EMOTIONS
from cellar.data.foreign import check_is_data
from cellar.data.images import visible
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers.packed import is_packed, opened, zip_holds
from cellar.data.splits import check_classes, split_order
from cellar.errors import CellarError, printable, reason, safe_repr
from cellar.files import hash_file

SIDE = 48
NAMES = ("fer2013.csv", "icml_face_data.csv")
HEADER = ["emotion", "pixels", "Usage"]
SEPARATORS = ",;\t"
SUFFIXES = {".csv", ".tsv", ".txt"}
LONGEST_LINE = 1 << 16  # characters; of a longer one, which is no row, not more is taken into memory
MOST_ROWS = 1_000_000
ARCHIVES = ("fer2013.tar.gz", "fer2013.tgz", "fer2013.tar")  # the competition's, and what desktops make of its name
SPLIT_OF_USAGE = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
EMOTION_OF_CODE = NUMBERED["fer2013"][1]  # the csv's 0 .. 6
LABEL_OF_CODE = {str(code): EMOTIONS.index(name) for code, name in enumerate(EMOTION_OF_CODE)}
BYTE_OF_TEXT = {str(value): value for value in range(256)}

Row = tuple[int, bytes, str]  # label, 2304 bytes, split


def find_table(folder: Path) -> Path | None:
    """The csv in `folder`: of a published name, else the one with the columns. Raises CellarError when two have them."""
    return the_one(folder, [folder / name for name in NAMES if (folder / name).is_file()], is_table)


def find_packed(folder: Path) -> Path | None:
    """The archive in `folder` that holds the csv: of the published name, else a zip that lists it."""
    return the_one(folder, [folder / name for name in ARCHIVES if (folder / name).is_file()], holds_table)


def the_one(folder: Path, published: list[Path], fits: Callable[[Path], bool]) -> Path | None:
    found = published[:1] or [file for file in visible(folder) if file.is_file() and fits(file)]
    if len(found) > 1:
        raise CellarError(
            f"{folder} holds FER2013's table both in {found[0].name} and {found[1].name}; give one as path"
        )
    return found[0] if found else None


def is_table(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not missing_columns(file)


def holds_table(file: Path) -> bool:
    return file.suffix.lower() == ".zip" and zip_holds(file, NAMES)


def missing_columns(path: Path) -> list[str]:
    """What a csv lacks of the header; all of it when it is none."""
    try:
        with open_csv(path) as file:
            return missing_of(read_header(file)[0])
    except (CellarError, csv.Error, UnicodeDecodeError):
        return HEADER


def missing_of(header: Sequence[str]) -> list[str]:
    return [name for name in HEADER if name not in header]


def no_table(folder: Path) -> str | None:
    """What to say of a folder with csv files none of which is the table: the columns that each lacks."""
    tables = [file for file in visible(folder) if file.is_file() and file.suffix.lower() in SUFFIXES]
    lacks = [f"{file.name} lacks {' and '.join(missing_columns(file))}" for file in tables]
    if not lacks:
        return None
    listed = ", ".join(lacks[:4])
    return f"{folder}: {listed}; put {' or '.join(NAMES)} there, which have {','.join(HEADER)} of all images"


def load_csv(path: Path) -> ImageSet:
    """The rows of a csv, or of the one packed in an archive; rows of a split stay in file order."""
    return assemble(path, read_rows(path), {path.name: hash_file(path)})


def assemble(path: Path, rows: Sequence[Row], sources: dict[str, str]) -> ImageSet:
    labels = np.array([label for label, _, _ in rows], dtype=np.int64)
    split = np.array([split for *_, split in rows], dtype="U10")
    check_classes(path, labels, split, EMOTIONS)
    images = np.frombuffer(b"".join(pixels for _, pixels, _ in rows), np.uint8).reshape(-1, SIDE, SIDE)
    order = split_order(split)
    return ImageSet(images[order], labels[order], split[order], EMOTIONS, sources)


@contextmanager
def open_csv(path: Path) -> Iterator[TextIO]:
    """Its text, also out of a zip or tar, whatever its name. Raises CellarError for what is no csv."""
    if is_packed(path):
        with opened(path, NAMES) as content:
            if content is None:
                raise CellarError(f"{path} is an archive without {' or '.join(NAMES)}; unpack it, or get FER2013 anew")
            yield io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
        return
    check_is_data(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield file


def read_header(file: TextIO) -> tuple[list[str], str]:
    """The names of the columns, and what separates them: a comma, semicolon or tab."""
    line = file.readline(LONGEST_LINE)
    separator = max(SEPARATORS, key=line.count)
    fields = next(csv.reader([line], delimiter=separator), [])
    spelt = {name.casefold(): name for name in HEADER}
    names = [field.strip() for field in fields]
    return [spelt.get(name.casefold(), name) for name in names], separator


def read_rows(path: Path) -> list[Row]:
    """All rows but blank ones. Errors name the row, the first below the header being 1."""
    row = 0
    try:
        with open_csv(path) as file:
            header, separator = read_header(file)
            check_header(path, header)
            places = [header.index(name) for name in HEADER]
            rows = []
            lines = iter(lambda: file.readline(LONGEST_LINE), "")
            for row, fields in enumerate(csv.reader(lines, delimiter=separator), start=1):
                check_number(path, row)
                if any(map(str.strip, fields)):
                    check_width(f"{path}, row {row}", fields, header)
                    rows.append(parse_row(f"{path}, row {row}", *(fields[place].strip() for place in places)))
            return rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise CellarError(f"{path}, row {row + 1}: not readable as csv ({reason(error)}); get the file again") from None


def check_header(path: Path, header: Sequence[str]) -> None:
    missing = missing_of(header)
    if missing:
        found = printable(",".join(header))[:60]
        raise CellarError(
            f"{path} begins with {found!r}, expected {','.join(HEADER)!r} in any order: it lacks {' and '.join(missing)}; "
            f"get the competition's {' or '.join(NAMES)}"
        )


def check_number(path: Path, row: int) -> None:
    if row > MOST_ROWS:
        raise CellarError(f"{path} has more than {MOST_ROWS:,} rows, far more than FER2013; get the file again")


def check_width(where: str, fields: Sequence[str], header: Sequence[str]) -> None:
    """Raises CellarError for a row of another width; empty fields at its end, as spreadsheets leave them, are none."""
    if len(fields) < len(header) or any(map(str.strip, fields[len(header) :])):
        raise CellarError(f"{where} has {len(fields)} fields, expected {len(header)}; get the file again")


def parse_row(where: str, code: str, text: str, usage: str) -> Row:
    if code not in LABEL_OF_CODE:
        raise CellarError(f"{where}: emotion {safe_repr(code)!r} is unknown, expected 0 to 6; mend that row")
    if usage not in SPLIT_OF_USAGE:
        known = list(SPLIT_OF_USAGE)
        hint = f"{likely(safe_repr(usage), known)}, expected {', '.join(known)}"
        raise CellarError(f"{where}: Usage {safe_repr(usage)!r} is unknown{hint}; mend that row")
    return LABEL_OF_CODE[code], parse_pixels(where, text), SPLIT_OF_USAGE[usage]


def parse_pixels(where: str, text: str) -> bytes:
    """2304 numbers from 0 to 255, row by row of the image, as bytes."""
    try:
        pixels = bytes(map(BYTE_OF_TEXT.__getitem__, text.split()))
    except KeyError as error:
        raise CellarError(
            f"{where}: pixel {safe_repr(error.args[0])!r} is not a whole number from 0 to 255; get the file again"
        ) from None
    if len(pixels) != SIDE * SIDE:
        raise CellarError(f"{where} has {len(pixels)} pixels, expected {SIDE * SIDE}; get the file again")
    return pixels
