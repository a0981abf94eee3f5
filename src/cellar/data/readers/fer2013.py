"""FER2013, as Kaggle publishes it: image folders, or the competition's one csv.

Folders: {train,test}/<emotion>/{Training,PublicTest,PrivateTest}_<number>.jpg, 48x48 grey.
Csv: columns emotion (0 angry .. 6 neutral), pixels (2304 numbers), Usage.
Training is train, PublicTest is validation, PrivateTest is test (Mini-ResEmoteNet, sec. III.A).
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cellar.config.validation_errors import likely
from cellar.data.faces import EMOTIONS
from cellar.data.images import read_images, visible
from cellar.data.inputs.prepared import ImageSet
from cellar.data.splits import check_classes, split_order
from cellar.errors import CellarError, reason, safe_repr
from cellar.files import hash_file

SIDE = 48
CSV_NAME = "fer2013.csv"
HEADER = ["emotion", "pixels", "Usage"]
SPLIT_OF_USAGE = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
EMOTION_OF_CODE = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the csv's 0 .. 6
LABEL_OF_CODE = {str(code): EMOTIONS.index(name) for code, name in enumerate(EMOTION_OF_CODE)}
LABEL_OF_FOLDER = {"angry" if name == "anger" else name: label for label, name in enumerate(EMOTIONS)}
FOLDERS = {"train": ("Training",), "test": ("PublicTest", "PrivateTest")}
FILE_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_(\d{1,18})\.jpg")
BYTE_OF_TEXT = {str(value): value for value in range(256)}


def load(path: Path) -> ImageSet:
    """Read either layout, told apart by looking; `path` is the folder, or the csv.

    Images are uint8 (N, 48, 48), rows ordered by split and number. Raises CellarError for anything unlike
    the published layouts.
    """
    if path.is_file():
        return load_csv(path)
    if (path / "train").is_dir() or (path / "test").is_dir():
        return load_folders(path)
    if (path / CSV_NAME).is_file():
        return load_csv(path / CSV_NAME)
    if path.is_dir():
        raise CellarError(
            f"{path} holds neither train/ and test/ nor {CSV_NAME}; unpack FER2013 there, see data/README.md"
        )
    raise CellarError(
        f"{path} does not exist; get FER2013 (Kaggle, msambare/fer2013) and unpack it there, see data/README.md"
    )


def load_folders(path: Path) -> ImageSet:
    """The folder layout: {train,test}/<emotion>/<usage>_<number>.jpg."""
    found = list(list_images(path))
    paths = [file for file, *_ in found]
    split = np.array([SPLIT_OF_USAGE[usage] for _, usage, _, _ in found], dtype="U10")
    number = np.array([number for _, _, number, _ in found], dtype=np.int64)
    labels = np.array([label for *_, label in found], dtype=np.int64)
    check_classes(path, labels, split, EMOTIONS)
    order = split_order(split, number, labels)
    images, sources = read_images(path, [paths[row] for row in order], "L", (SIDE, SIDE))
    return ImageSet(images, labels[order], split[order], EMOTIONS, sources)


def list_images(path: Path) -> Iterator[tuple[Path, str, int, int]]:
    """(file, usage, number, label) of every image, by folder and name."""
    for part, usages in FOLDERS.items():
        if not (path / part).is_dir():
            raise CellarError(
                f"{path / part} does not exist; FER2013 has train/ and test/: unpack both, see data/README.md"
            )
        for folder in visible(path / part):
            if folder.name not in LABEL_OF_FOLDER or not folder.is_dir():
                raise CellarError(unknown_folder(folder))
            for file in visible(folder):
                yield file, *parse_name(file, usages), LABEL_OF_FOLDER[folder.name]


def unknown_folder(folder: Path) -> str:
    known = list(LABEL_OF_FOLDER)
    return f"{folder} is no emotion folder of FER2013{likely(folder.name, known)}; known: {', '.join(known)}"


def parse_name(file: Path, usages: tuple[str, ...]) -> tuple[str, int]:
    """(usage, number) from a file name; a usage in the wrong folder is a leak, and an error."""
    match = FILE_NAME.fullmatch(file.name)
    if match is None or match[1] not in usages:
        wanted = " or ".join(f"{usage}_<number>.jpg" for usage in usages)
        raise CellarError(f"{file} is not named {wanted} as published; take it out or mend its name")
    return match[1], int(match[2])


def load_csv(path: Path) -> ImageSet:
    """The competition's fer2013.csv; rows of a split stay in file order."""
    rows = read_rows(path)
    labels = np.array([label for label, _, _ in rows], dtype=np.int64)
    split = np.array([split for *_, split in rows], dtype="U10")
    check_classes(path, labels, split, EMOTIONS)
    images = np.frombuffer(b"".join(pixels for _, pixels, _ in rows), np.uint8).reshape(-1, SIDE, SIDE)
    order = split_order(split)
    return ImageSet(images[order], labels[order], split[order], EMOTIONS, {path.name: hash_file(path)})


def read_rows(path: Path) -> list[tuple[int, bytes, str]]:
    """(label, 2304 bytes, split) of every row. Errors name the row, the first below the header being 1."""
    row = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            check_csv_header(path, next(reader, []))
            rows = []
            for row, fields in enumerate(reader, start=1):
                rows.append(parse_row(path, row, fields))
            return rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise CellarError(f"{path}, row {row + 1}: not readable as csv ({reason(error)}); get the file again") from None


def check_csv_header(path: Path, header: list[str]) -> None:
    if header != HEADER:
        found = ",".join(header)[:60] or "an empty file"
        raise CellarError(
            f"{path} begins with {found!r}, expected {','.join(HEADER)!r}; get the competition's {CSV_NAME}"
        )


def parse_row(path: Path, row: int, fields: list[str]) -> tuple[int, bytes, str]:
    where = f"{path}, row {row}"
    if len(fields) != len(HEADER):
        raise CellarError(f"{where} has {len(fields)} fields, expected {len(HEADER)}; get the file again")
    code, text, usage = fields
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
