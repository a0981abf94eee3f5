"""RAF-DB, the basic set, as Kaggle's mirrors have it: {train,test}/{1..7}/*.jpg, with train_labels.csv and test_labels.csv.

The csv (columns image and label) say what the folders say; where they are, both must agree.
"""

import csv
from collections import defaultdict
from pathlib import Path

from cellar.data.foreign import check_is_data
from cellar.data.images import visible
from cellar.data.readers.image_folder import check_loose, check_suffix
from cellar.data.readers.root import search
from cellar.data.readers.split_folders import is_split
from cellar.errors import CellarError, reason, safe_repr

PARTS = ("train", "test")
CODES = tuple(map(str, range(1, 8)))
Labels = dict[str, set[str]]  # name of an image -> its codes; more than one where classes number theirs alike


def has_folders(folder: Path) -> bool:
    return any((folder / part / code).is_dir() for part in PARTS for code in CODES)


def check_numbered(folder: Path) -> None:
    """Raises CellarError for train/ and test/ whose classes have no number, where `has_folders` found none."""
    found = search(folder, lambda inner: any(map(is_split, visible(inner))))
    if found:
        raise CellarError(
            f"{found} has train/ or test/, but not in them the folders 1 to 7, RAF-DB's numbers of its classes; name the "
            "class folders so (data/README.md), or read them with layout: image_folder"
        )


def list_images(path: Path, root: Path) -> list[tuple[str, str, Path]]:
    """(part, code, file) of every image, by part and name, checked against the csv in `root` and the folders around it up
    to `path`."""
    check_folders(root)
    found: list[tuple[str, str, Path]] = []
    for part in sorted(PARTS):
        files = [(part, code, check_suffix(file)) for code in CODES for file in class_files(root / part / code)]
        for table in tables(path, root, part):
            check_agrees(table, read_labels(table), files)
        found += sorted(files, key=lambda entry: (entry[2].name, entry[1]))
    return found


def check_folders(root: Path) -> None:
    """Raises CellarError for a part that is missing, a split that RAF-DB has not, and a folder that is no class."""
    for part in PARTS:
        if not (root / part).is_dir():
            raise CellarError(
                f"{root / part} does not exist; RAF-DB has train/ and test/: unpack both, see data/README.md"
            )
        check_loose(root / part)
        for folder in visible(root / part):
            if folder.is_dir() and folder.name not in CODES:
                raise CellarError(f"{folder} is no class of RAF-DB, known: 1 to 7; rename it or take it out")
    for folder in visible(root):
        if is_split(folder) and folder.name not in PARTS:
            raise CellarError(f"{folder} is no folder of RAF-DB, which has train/ and test/; take it out")


def class_files(folder: Path) -> list[Path]:
    return visible(folder) if folder.is_dir() else []


def tables(path: Path, root: Path, part: str) -> list[Path]:
    around = [folder for folder in (root, *root.parents) if folder == path or folder.is_relative_to(path)]
    return [folder / f"{part}_labels.csv" for folder in around if (folder / f"{part}_labels.csv").is_file()]


def read_labels(table: Path) -> Labels:
    """The codes of every image's name. Raises CellarError with the row, the first below the header being 1."""
    check_is_data(table)
    listed: Labels = defaultdict(set)
    row = 0
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if not {"image", "label"} <= set(header):
                raise CellarError(
                    f"{table} has the columns {safe_repr(','.join(header))}, not image and label; mend it"
                )
            for row, fields in enumerate(reader, start=1):
                if any(map(str.strip, fields)):
                    values = dict(zip(header, map(str.strip, fields), strict=False))
                    listed[values["image"]].add(checked_code(f"{table}, row {row}", values.get("label", "")))
    except (csv.Error, UnicodeDecodeError, KeyError) as error:
        raise CellarError(
            f"{table}, row {row + 1}: not readable as csv ({reason(error)}); get the file again"
        ) from None
    return listed


def checked_code(where: str, code: str) -> str:
    if code not in CODES:
        raise CellarError(f"{where}: label {safe_repr(code)!r} is unknown, expected 1 to 7; mend that row")
    return code


def check_agrees(table: Path, listed: Labels, files: list[tuple[str, str, Path]]) -> None:
    """Raises CellarError for an image whose folder is another than the csv says, or that only one of both has."""
    present: Labels = defaultdict(set)
    for _, code, file in files:
        present[file.name].add(code)
        if code not in listed.get(file.name, set()):
            says = " and ".join(sorted(listed.get(file.name, set()))) or "nothing of it"
            raise CellarError(f"{file} is in class {code}, but {table} says {says}; get the data set again, whole")
    missing = [name for name in sorted(listed) if listed[name] - present[name]]
    if missing:
        raise CellarError(
            f"{table} lists {len(missing)} images that are in no folder, the first is {safe_repr(missing[0])}; "
            "get the data set again, whole"
        )
