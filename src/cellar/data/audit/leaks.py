"""A data set without its leaks: no training or validation image that is a copy of a test image."""

from dataclasses import replace

import numpy as np

from cellar.data.audit import duplicates
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.errors import CellarError


def without_leaking(image_set: ImageSet, dataset: str) -> tuple[ImageSet, dict[str, int]]:
    """The set with all its test images, and how many images of the other splits were left out.

    A whole group of duplicates goes where one of it is a test image. Raises CellarError when a class would have no
    training image left.
    """
    leaking = duplicates.find(image_set.images).leaking(image_set.split)
    kept = only(image_set, ~leaking)
    left = kept.class_counts("train")
    if not left.all():
        empty = image_set.classes[int(np.argmin(left))]
        raise CellarError(
            f"datasets.{dataset}: drop_leaked leaves no training image of class {empty}; set drop_leaked: false"
        )
    return kept, {name: int((leaking & (image_set.split == name)).sum()) for name in SPLITS if name != "test"}


def only(image_set: ImageSet, rows: np.ndarray) -> ImageSet:
    """The set of these images alone; rows bool (N,)."""
    files = tuple(file for file, kept in zip(image_set.files, rows.tolist(), strict=False) if kept)
    images, labels, split = (column[rows] for column in (image_set.images, image_set.labels, image_set.split))
    return replace(image_set, images=images, labels=labels, split=split, files=files)
