"""FER2013, as it is published: Kaggle's image folders, the competition's one table, or a hub's parquet files.

Folders: {train,test}/<emotion>/{Training,PublicTest,PrivateTest}_<number>.jpg, 48x48 grey.
Training is train, PublicTest is validation, PrivateTest is test (Mini-ResEmoteNet, sec. III.A).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cellar.config.validation_errors import likely
from cellar.data.faces import EMOTIONS
from cellar.data.images import read_images, visible
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import fer2013_csv, hub
from cellar.data.readers.fer2013_csv import SIDE, SPLIT_OF_USAGE
from cellar.data.readers.root import check_unpacked, search
from cellar.data.readers.split_folders import is_split
from cellar.data.splits import check_classes, split_order
from cellar.errors import CellarError

LABEL_OF_FOLDER = {"angry" if name == "anger" else name: label for label, name in enumerate(EMOTIONS)}
FOLDERS = {"train": ("Training",), "test": ("PublicTest", "PrivateTest")}
FILE_NAME = re.compile(r"(Training|PublicTest|PrivateTest)_(\d{1,18})\.jpg")


def load(path: Path, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Read any of the layouts, told apart by looking; `path` is the folder (or one or two around it), or the file.

    Images are uint8 (N, 48, 48), rows ordered by split and number (in tables: as they stand). The fraction and the
    seed serve parquet files without a validation split. Raises CellarError for anything unlike the published layouts.
    """
    root = locate(path)
    if hub.is_hub(root):
        return hub.load_fer2013(root, validation_fraction, split_seed)
    return fer2013_csv.load_csv(root) if root.is_file() else load_folders(root)


def locate(path: Path) -> Path:
    """The folder of train/ and test/ or of the parquet files, or the file with the table."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise CellarError(
            f"{path} does not exist; get FER2013 (Kaggle, msambare/fer2013) and unpack it there, see data/README.md"
        )
    root = search(path, begins) or search(path, lambda folder: fer2013_csv.find_packed(folder) is not None)
    if root is None:
        raise CellarError(nothing_found(path))
    if has_folders(root) or hub.is_hub(root):
        return root
    return fer2013_csv.find_table(root) or fer2013_csv.find_packed(root) or root


def begins(folder: Path) -> bool:
    return has_folders(folder) or hub.is_hub(folder) or fer2013_csv.find_table(folder) is not None


def nothing_found(path: Path) -> str:
    check_unpacked(path)
    known = f"neither train/ and test/ nor {fer2013_csv.NAMES[0]}"
    return fer2013_csv.no_table(path) or f"{path} holds {known}; unpack FER2013 there, see data/README.md"


def has_folders(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in FOLDERS) and not hub.is_hub(folder)


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
    check_splits(path)
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


def check_splits(path: Path) -> None:
    for folder in visible(path):
        if is_split(folder) and folder.name not in FOLDERS:
            raise CellarError(
                f"{folder} is no folder of FER2013, which has train/ and test/ (with PublicTest_ and PrivateTest_ files); "
                "move its images there, or read all with layout: image_folder"
            )


def unknown_folder(folder: Path) -> str:
    known = list(LABEL_OF_FOLDER)
    return f"{folder} is no emotion folder of FER2013{likely(folder.name, known)}; known: {', '.join(known)}"


def parse_name(file: Path, usages: tuple[str, ...]) -> tuple[str, int]:
    """(usage, number) from a file name; a usage in the wrong folder is a leak, and an error."""
    match = FILE_NAME.fullmatch(file.name)
    if match is None or match[1] not in usages:
        wanted = " or ".join(f"{usage}_<number>.jpg" for usage in usages)
        raise CellarError(
            f"{file} is not named {wanted} as published; take it out, mend its name, or read all with layout: image_folder"
        )
    return match[1], int(match[2])
