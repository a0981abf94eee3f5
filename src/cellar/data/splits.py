"""A validation split for sets that come without one: a seeded, stratified part of train."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

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
