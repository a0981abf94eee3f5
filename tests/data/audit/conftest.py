"""Pictures with something to see, of which copies are planted."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cellar.data.inputs.prepared import ImageSet

Paint = Callable[[int, int], np.ndarray]
MakeSet = Callable[..., ImageSet]


def textures(count: int, seed: int) -> np.ndarray:
    """Blurred noise, uint8 (count, 48, 48): no two are alike, all have low and high frequencies."""
    noise = np.random.default_rng(seed).normal(size=(count, 48, 48))
    mixed = [gaussian_filter(one, 6) * 6 + gaussian_filter(one, 2) for one in noise]
    return np.clip(128 + 110 * np.array(mixed), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def paint() -> Paint:
    return textures


@pytest.fixture
def image_set() -> MakeSet:
    """Builds a set of two classes: images, labels, and as many in each split as asked; splits are contiguous."""

    def make(images: np.ndarray, labels: list[int], **splits: int) -> ImageSet:
        split = np.repeat(np.array(list(splits), dtype="U10"), list(splits.values()))
        return ImageSet(images, np.array(labels, dtype=np.int64), split, ("cat", "dog"))

    return make
