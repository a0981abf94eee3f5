"""The embedded default: drawn faces written in the published layouts of FER2013 and RAF-DB.

They are no substitute for the real sets: they let the whole pipeline run, quickly and for anyone.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cellar.data.readers import fer2013, fer2013_csv, raf_db
from cellar.data.synthetic.picture import draw_picture
from cellar.data.whole_folder import replacing
from cellar.errors import CellarError
from cellar.seeding import derive

# Images of each emotion, in the order of EMOTIONS, as counted in the public sets (Mini-ResEmoteNet's
# Table III prints some of these in the wrong rows): the drawn sets are as unbalanced as the real ones.
FER2013_COUNTS = {
    "train": (7215, 3171, 4830, 3995, 436, 4097, 4965),
    "validation": (895, 415, 653, 467, 56, 496, 607),
    "test": (879, 416, 594, 491, 55, 528, 626),
}
RAF_DB_COUNTS = {
    "train": (4772, 1290, 1982, 705, 717, 281, 2524),
    "test": (1185, 329, 478, 162, 160, 74, 680),
}
LEAST = 8  # images of the rarest emotion in a split
JPEG_QUALITY = 92


@dataclass(frozen=True, eq=False)
class Drawn:
    """One drawn face: its split, its number there from 0, its label, and uint8 pixels."""

    split: str
    index: int
    label: int
    picture: np.ndarray


def share_out(total: int, proportions: tuple[int, ...]) -> np.ndarray:
    """`total` images over the classes in proportion, each at least LEAST: int64 (C,), summing to `total`.

    Raises CellarError when `total` is too small for that.
    """
    least = LEAST * len(proportions)
    if total < least:
        raise CellarError(
            f"params.yaml: source.synthetic: {total} images of a split are too few; {least} or more are needed"
        )
    exact = np.array(proportions) / sum(proportions) * total
    counts = np.maximum(np.floor(exact).astype(np.int64), LEAST)
    while counts.sum() != total:  # hand out what is left, or take back what the minimum added
        step = 1 if counts.sum() < total else -1
        open_to_change = counts > LEAST if step < 0 else counts >= 0
        counts[np.argmax(np.where(open_to_change, step * (exact - counts), -np.inf))] += step
    return counts


def draw_labels(seed: int, split: str, total: int, proportions: tuple[int, ...]) -> np.ndarray:
    """The label of each picture of a split, in random order: int64 (total,)."""
    labels = np.repeat(np.arange(len(proportions)), share_out(total, proportions))
    return np.random.default_rng(derive(seed, f"drawn labels {split}")).permutation(labels)


def draw_faces(
    seed: int, totals: dict[str, int], proportions: Mapping[str, tuple[int, ...]], side: int, channels: int
) -> Iterator[Drawn]:
    """Every picture of every split in `totals`, by split and number."""
    for split, total in totals.items():
        for index, label in enumerate(draw_labels(seed, split, total, proportions[split])):
            yield Drawn(split, index, int(label), draw_picture(seed, split, index, int(label), side, channels))


def draw_fer2013(seed: int, train: int, validation: int, test: int) -> Iterator[Drawn]:
    """FER2013's drawn stand-in: 48x48 grey."""
    totals = {"train": train, "validation": validation, "test": test}
    return draw_faces(seed, totals, FER2013_COUNTS, fer2013_csv.SIDE, 1)


def write_fer2013(folder: Path, seed: int, train: int, validation: int, test: int) -> None:
    """Draw faces into FER2013's folder layout; replaces `folder` whole. Raises CellarError."""
    usage_of = {split: usage for usage, split in fer2013_csv.SPLIT_OF_USAGE.items()}
    part_of = {usage: part for part, usages in fer2013.FOLDERS.items() for usage in usages}
    name_of = {label: name for name, label in fer2013.LABEL_OF_FOLDER.items()}
    with replacing(folder) as new:
        for face in draw_fer2013(seed, train, validation, test):
            usage = usage_of[face.split]
            save_jpeg(new / part_of[usage] / name_of[face.label] / f"{usage}_{face.index}.jpg", face.picture)


def write_fer2013_csv(folder: Path, seed: int, train: int, validation: int, test: int) -> None:
    """The same faces as the competition's csv, without JPEG's losses; replaces `folder` whole."""
    usage_of = {split: usage for usage, split in fer2013_csv.SPLIT_OF_USAGE.items()}
    code_of = {label: code for code, label in fer2013_csv.LABEL_OF_CODE.items()}
    with replacing(folder) as new, (new / fer2013_csv.NAMES[0]).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fer2013_csv.HEADER)
        for face in draw_fer2013(seed, train, validation, test):
            pixels = " ".join(map(str, face.picture.ravel().tolist()))
            writer.writerow([code_of[face.label], pixels, usage_of[face.split]])


def write_raf_db(folder: Path, seed: int, train: int, test: int) -> None:
    """Draw faces into RAF-DB's layout, 100x100 RGB; replaces `folder` whole. Raises CellarError."""
    code_of = {label: code for code, label in raf_db.LABEL_OF_CODE.items()}
    lines = []
    with replacing(folder) as new:
        for face in draw_faces(seed, {"train": train, "test": test}, RAF_DB_COUNTS, raf_db.SIDE, 3):
            name = f"{face.split}_{face.index + 1:05d}"
            save_jpeg(raf_db.image_path(new, name), face.picture)
            lines.append(f"{name}.jpg {code_of[face.label]}\n")
        (new / raf_db.LIST).parent.mkdir(parents=True)
        (new / raf_db.LIST).write_text("".join(lines), encoding="utf-8")


def save_jpeg(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=JPEG_QUALITY)
