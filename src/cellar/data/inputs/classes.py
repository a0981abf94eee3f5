"""What follows from labels alone: class weights, and random choices of images by class."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Generator, Tensor

from cellar.errors import CellarError

WIDE = 2**62  # random numbers below it, reduced by a remainder, are as good as uniform


def balanced_class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """n / (K n_c) for each class c (K,), as scikit-learn's "balanced": Mini-ResEmoteNet gives no formula.

    Raises CellarError for a class without images, whose weight would be infinite.
    """
    counts = torch.bincount(labels, minlength=num_classes).float()
    absent = (counts == 0).nonzero().flatten().tolist()
    if absent:
        raise CellarError(
            f"class {absent[0]} of 0..{num_classes - 1} has no training image, so it has no balanced weight; "
            "add images, or set class_weighting: none in params.yaml"
        )
    return len(labels) / (num_classes * counts)


@dataclass(frozen=True)
class Groups:
    """Images sorted by class: those of group g are order[start[g] : start[g] + count[g]]. On the CPU, so that random
    choices are the same for every device."""

    order: Tensor  # (N,) image numbers
    classes: Tensor  # (G,) labels, ascending
    start: Tensor  # (G,)
    count: Tensor  # (G,)

    @classmethod
    def by_class(cls, labels: Tensor) -> Self:
        """Groups of labels (N,)."""
        labels = labels.cpu()
        classes, count = labels.unique(return_counts=True)
        return cls(labels.argsort(stable=True), classes, count.cumsum(0) - count, count)

    def require(self, least: int, reason: str) -> None:
        """Raises CellarError for a class with fewer than `least` images, with the `reason` for the bound."""
        for label, count in zip(self.classes.tolist(), self.count.tolist(), strict=True):
            if count < least:
                images = "one training image" if count == 1 else f"{count} training images"
                raise CellarError(f"class {label} (counted from 0) has {images}, and {reason}")


def random_below(bounds: Tensor, generator: Generator) -> Tensor:
    """One random number below each of `bounds` (M,)."""
    return torch.randint(WIDE, bounds.shape, generator=generator) % bounds


def distinct_below(bounds: Tensor, count: int, generator: Generator) -> Tensor:
    """`count` distinct random numbers below each of `bounds` (M,), in random order: (M, count)."""
    most = int(bounds.max())
    keys = torch.rand(len(bounds), most, generator=generator, dtype=torch.float64)
    keys[torch.arange(most) >= bounds[:, None]] = 1  # larger than all others
    return keys.argsort(dim=1, stable=True)[:, :count]
