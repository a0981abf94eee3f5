"""Splits: a seeded, stratified validation split for sets that have none; checks of classes; the order of rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cellar.data.inputs.prepared import SPLITS
from cellar.errors import CellarError


def hold_out(
    path: Path, labels: np.ndarray, split: np.ndarray, classes: Sequence[str], fraction: float, seed: int
) -> np.ndarray:
    """Turn `fraction` of the train rows, the same share of each class, into validation.

    labels int64 (N,), split str (N,) -> a new split str (N,). Raises CellarError when a class is too small.
    """
    # a second to import, needed here only
    from sklearn.model_selection import train_test_split

    train = np.flatnonzero(split == "train")
    count = np.bincount(labels[train], minlength=len(classes))
    if count.min() < 2:
        raise CellarError(
            f"{path}: class {classes[int(np.argmin(count))]} has {count.min()} train image(s); "
            "at least 2 are needed to hold some out for validation: add images"
        )
    try:
        _, held = train_test_split(train, test_size=fraction, random_state=seed, stratify=labels[train])
    except ValueError:
        raise CellarError(
            f"{path}: {fraction:g} of {len(train)} train images is too little or too much for "
            f"{len(classes)} classes; change validation_fraction or add images"
        ) from None
    result = split.copy()
    result[held] = "validation"
    return result


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
