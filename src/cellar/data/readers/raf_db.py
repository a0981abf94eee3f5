"""RAF-DB, the basic set, as its authors give it out: a list of labels and 100x100 aligned faces (or in class folders).

EmoLabel/list_patition_label.txt (spelt so) has lines `train_00001.jpg 5`; the image of that line is
Image/aligned/train_00001_aligned.jpg. Labels: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness,
6 anger, 7 neutral. There is no validation split (Li, Deng and Du 2017): a tenth of train is held out.
"""

import re
from pathlib import Path

import numpy as np

from cellar.data.class_names import NUMBERS
from cellar.data.faces import EMOTIONS
from cellar.data.foreign import check_is_data
from cellar.data.images import read_images
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import raf_db_folders
from cellar.data.readers.root import find_root
from cellar.data.splits import check_classes, hold_out, split_order
from cellar.errors import CellarError, reason, safe_repr
from cellar.files import hash_file

SIDE = 100
LIST = Path("EmoLabel/list_patition_label.txt")
ALIGNED = Path("Image/aligned")
LABEL_OF_CODE = {code: EMOTIONS.index(name) for code, name in NUMBERS["raf_db"].items()}  # the list's 1 .. 7
NAME = re.compile(r"((train|test)_\d+)\.jpg")


def load(path: Path, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Images uint8 (N, 100, 100, 3); rows ordered by split and name, in both layouts the same.

    Raises CellarError for a list or an image unlike the documented layouts.
    """
    root = locate(path)
    has_list = (root / LIST).is_file() or not raf_db_folders.has_folders(root)
    files, labels, split = read_listed(root) if has_list else read_folders(path, root)
    check_classes(path, labels, split, EMOTIONS, required=("train", "test"))
    split = hold_out(path, labels, split, EMOTIONS, validation_fraction, split_seed)
    check_classes(path, labels, split, EMOTIONS)
    order = split_order(split)
    images, sources = read_images(root, [files[row] for row in order], "RGB", (SIDE, SIDE))
    if has_list:
        sources = {LIST.as_posix(): hash_file(root / LIST), **sources}
    return ImageSet(images, labels[order], split[order], EMOTIONS, sources)


def locate(path: Path) -> Path:
    """The folder of EmoLabel/ or of train/1 .. 7: `path`, or one or two levels below, such as the authors' basic/."""
    return find_root(path, lambda folder: (folder / LIST.parent).is_dir() or raf_db_folders.has_folders(folder))


Found = tuple[list[Path], np.ndarray, np.ndarray]  # files, labels int64 (N,), split str (N,)


def read_listed(root: Path) -> Found:
    listed = read_list(root)
    check_images_present(root, listed)
    names = sorted(listed)
    labels = np.array([listed[name] for name in names], dtype=np.int64)
    split = np.array([name.partition("_")[0] for name in names], dtype="U10")
    return [image_path(root, name) for name in names], labels, split


def read_folders(path: Path, root: Path) -> Found:
    found = raf_db_folders.list_images(path, root)
    labels = np.array([LABEL_OF_CODE[code] for _, code, _ in found], dtype=np.int64)
    return [file for *_, file in found], labels, np.array([part for part, _, _ in found], dtype="U10")


def image_path(path: Path, name: str) -> Path:
    return path / ALIGNED / f"{name}_aligned.jpg"


def read_list(path: Path) -> dict[str, int]:
    """Name without suffix -> label, e.g. {"train_00001": 2}. Raises CellarError with the line number."""
    file = path / LIST
    if file.is_file():
        check_is_data(file)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raf_db_folders.check_numbered(path)
        raise CellarError(
            f"{file} does not exist; ask RAF-DB's authors for the basic set and unpack it, see data/README.md"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CellarError(
            f"{file} cannot be read ({reason(error)}); take it again from the published archive"
        ) from None
    listed: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            name, label = parse_line(f"{file}, line {number}", line)
            if name in listed:
                raise CellarError(f"{file}, line {number}: {safe_repr(name)}.jpg is listed twice; take one line out")
            listed[name] = label
    return listed


def parse_line(where: str, line: str) -> tuple[str, int]:
    """`train_00001.jpg 5` -> ("train_00001", 2)."""
    words = line.split()
    match = NAME.fullmatch(words[0])
    if len(words) != 2 or match is None:
        raise CellarError(f"{where}: {line.strip()[:60]!r} is not of the form 'train_00001.jpg 5'; mend that line")
    if words[1] not in LABEL_OF_CODE:
        raise CellarError(f"{where}: label {safe_repr(words[1])!r} is unknown, expected 1 to 7; mend that line")
    return match[1], LABEL_OF_CODE[words[1]]


def check_images_present(path: Path, listed: dict[str, int]) -> None:
    missing = [name for name in sorted(listed) if not image_path(path, name).is_file()]
    if missing:
        raise CellarError(
            f"{path / ALIGNED}: {len(missing)} of {len(listed)} listed images are missing, the first is "
            f"{image_path(path, missing[0]).name}; unpack aligned.zip there, whole"
        )
