"""Unbounded random augmentation: the augmentation index seeds every random choice.

The transforms of the small-dataset study (section 4 names them: "applied ... with certain probability"), in the order
and with the ranges of its authors' code, which gives rotation, scaling and flip 0.5, blur 0.1, jitter and erasing 0.

An index means the same rotation, scaling, … on every device and at every image size. Two deviations from that code: it
rotates by nearest neighbour at 224 pixels; here rotation is bilinear, because images are smaller. It passes sigma
(0.1, 5) to a function that takes these as 0.1 horizontally and 5 vertically; here a sigma is drawn between the two.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cellar.data.inputs import transforms
from cellar.data.inputs.augmentation import FiniteAugmentation
from cellar.seeding import derive

COUNT = 2**40  # so many that a training is unlikely to meet one twice
MAX_DEGREES = 45  # whole, from 0 and below this, counter-clockwise only
SCALING = (0.7, 1.0)
SIGMA = (0.1, 5.0)
JITTER = (0.5, 1.5)  # factors of brightness, contrast and saturation
HUE = (-0.5, 0.5)
ERASED_AREA = (0.02, 0.33)  # torchvision's RandomErasing
ERASED_RATIO = (0.3, 3.3)


@dataclass(frozen=True)
class RandomAugmentation(FiniteAugmentation):
    """Each transform is applied with its probability. Index 0 is the image itself."""

    rotation: float = 0
    scaling: float = 0
    flip: float = 0
    blur: float = 0
    jitter: float = 0
    erasing: float = 0

    @property
    def count(self) -> int:
        return COUNT

    def transform(self, images: Tensor, augmentation: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) uint8 and augmentation indices (B,) -> (B, 3, H, W) float32, pixels from 0 to 255."""
        pixels = images.float().expand(-1, 3, -1, -1).clone(memory_format=torch.contiguous_format)
        for name, transform in TRANSFORMS.items():
            rows = applies(augmentation, name, getattr(self, name)).nonzero().flatten()
            if len(rows):
                pixels[rows] = transform(pixels[rows], augmentation[rows])
        return pixels


def rotate(pixels: Tensor, index: Tensor) -> Tensor:
    return transforms.rotate(pixels, uniform(index, "degrees", 0, MAX_DEGREES).long())


def scale(pixels: Tensor, index: Tensor) -> Tensor:
    return transforms.keep_middle(pixels, uniform(index, "share", *SCALING))


def flip(pixels: Tensor, _: Tensor) -> Tensor:
    return transforms.mirror(pixels)


def blur(pixels: Tensor, index: Tensor) -> Tensor:
    return transforms.blur(pixels, uniform(index, "sigma", *SIGMA))


def jitter(pixels: Tensor, index: Tensor) -> Tensor:
    brightness, contrast, saturation = (
        uniform(index, name, *JITTER) for name in ("brightness", "contrast", "saturation")
    )
    return transforms.jitter(pixels, brightness, contrast, saturation, uniform(index, "hue", *HUE))


def erase(pixels: Tensor, index: Tensor) -> Tensor:
    ratio = uniform(index, "ratio", *map(math.log, ERASED_RATIO)).exp()
    area, across, down = uniform(index, "area", *ERASED_AREA), uniform(index, "across"), uniform(index, "down")
    return transforms.erase(pixels, area, ratio, across, down)


TRANSFORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {  # in the order in which they are applied
    "rotation": rotate,
    "scaling": scale,
    "flip": flip,
    "blur": blur,
    "jitter": jitter,
    "erasing": erase,
}


def applies(index: Tensor, name: str, probability: float) -> Tensor:
    """Whether the augmentations (B,) include the transform `name`: bool (B,)."""
    return (uniform(index, name) < probability) & (index > 0)


def uniform(index: Tensor, purpose: str, low: float = 0, high: float = 1) -> Tensor:
    """float64 (B,) in [low, high), for `purpose`, from the augmentation indices (B,) int64; the same on every device."""
    bits = scramble(scramble(index) + derive(0, f"view {purpose}"))
    return low + (high - low) * (shift_right(bits, 11).double() * 2.0**-53)


def scramble(number: Tensor) -> Tensor:
    """SplitMix64's output function (Steele, Lea and Flood 2014) on int64, which wraps around."""
    number = number + signed(0x9E3779B97F4A7C15)
    number = (number ^ shift_right(number, 30)) * signed(0xBF58476D1CE4E5B9)
    number = (number ^ shift_right(number, 27)) * signed(0x94D049BB133111EB)
    return number ^ shift_right(number, 31)


def shift_right(number: Tensor, bits: int) -> Tensor:
    """Logical shift: zeros come in from the left, although torch's int64 is signed."""
    return (number >> bits) & ((1 << (64 - bits)) - 1)


def signed(bits: int) -> int:
    """The int64 of 64 bits."""
    return bits - (1 << 64) if bits >> 63 else bits
