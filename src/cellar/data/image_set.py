"""What every reader returns: images, labels and splits as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cellar.errors import CellarError

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images of one size.

    images: uint8 (N, H, W) grey or (N, H, W, 3) RGB; labels: int64 (N,), positions in `classes`;
    split: str (N,), one of SPLITS; sources: raw file (or folder, ending in /) -> sha256; files: the name of each
    image's file in its class's folder, (N,), or () where the layout itself says which file is in which split.
    """

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    classes: tuple[str, ...]
    sources: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, dict[str, int]]:
        """Images by split and class, of the splits that exist."""
        return {
            split: {name: int(n) for name, n in zip(self.classes, self.class_counts(split), strict=True)}
            for split in SPLITS
            if (self.split == split).any()
        }

    def files_by_split(self) -> dict[str, dict[str, list[str]]]:
        """Split -> class -> names of its files, in the order of the rows."""
        named: dict[str, dict[str, list[str]]] = {}
        for split, label, file in zip(self.split.tolist(), self.labels.tolist(), self.files, strict=True):
            named.setdefault(split, {}).setdefault(self.classes[label], []).append(file)
        return named

    def class_counts(self, split: str) -> np.ndarray:
        """Images of each class in `split`: int64 (C,)."""
        return np.bincount(self.labels[self.split == split], minlength=len(self.classes))


def check_classes(
    path: Path,
    labels: np.ndarray,
    split: np.ndarray,
    classes: Sequence[str],
    required: Sequence[str] = SPLITS,
) -> None:
    """Raises CellarError when a required split is empty, or a class has no image in a split that exists."""
    for name in SPLITS:
        count = np.bincount(labels[split == name], minlength=len(classes))
        if not count.any():
            if name in required:
                raise CellarError(f"{path} has no {name} image; get the data set whole, see data/README.md")
            continue
        if not count.all():
            empty = classes[int(np.argmin(count))]
            raise CellarError(
                f"{path}: class {empty} has no image in {name}; get the data set whole, see data/README.md"
            )


def split_order(split: np.ndarray, *then_by: np.ndarray) -> np.ndarray:
    """The row order of a prepared set: train, validation, test, then by the keys given. int64 (N,)."""
    rank = np.searchsorted(np.array(sorted(SPLITS)), split)
    position = np.array([SPLITS.index(name) for name in sorted(SPLITS)])[rank]
    return np.lexsort((*reversed(then_by), position))
