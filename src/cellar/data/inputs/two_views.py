"""Two augmentations of each image, for methods that compare them: weak, that of the data set, and strong.

strong = the data set's augmentation, two of OPERATIONS (one may come twice), and a rectangle of one colour

The operations, their ranges and the rectangle are MLKD's: RandAugment(2, 10) of its authors' code, whose second number is
read nowhere. An augmentation index decides all of it, on every device. Operations are torchvision's; those that move pixels
take the nearest one and black beyond the border, as the authors' PIL does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from cellar.data.inputs.augmentation import FiniteAugmentation
from cellar.data.inputs.random_augmentation import COUNT, scramble, uniform

OPERATIONS_OF_AN_IMAGE = 2
LARGEST_RECTANGLE = 0.5  # of the image's width
COLOUR = (125, 123, 114)  # the rectangle's red, green and blue


@dataclass(frozen=True)
class TwoViews:
    """Both views of an image begin with an augmentation of `augmentation`, each with another."""

    augmentation: FiniteAugmentation

    @property
    def count(self) -> int:
        return COUNT

    def apply(self, images: Tensor, index: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) uint8 and augmentation indices (B,) -> (B, 2, 3, H, W): weak, strong; normalised float32."""
        weak = self.augmentation.apply(images, index % self.augmentation.count)
        return torch.stack([weak, self.augmentation.normalise(self.strong(images, index))], 1)

    def strong(self, images: Tensor, index: Tensor) -> Tensor:
        """The strong view (B, 3, H, W) uint8, before it is normalised."""
        begun = self.augmentation.transform(images, (scramble(index) >> 1) % self.augmentation.count)
        pixels = begun.round().to(torch.uint8).expand(-1, 3, -1, -1).clone()
        for number in range(OPERATIONS_OF_AN_IMAGE):
            chosen = uniform(index, f"operation {number}", 0, len(OPERATIONS)).long().tolist()
            strengths = uniform(index, f"strength {number}").tolist()
            for row, (operation, strength) in enumerate(zip(chosen, strengths, strict=True)):
                pixels[row] = OPERATIONS[operation](pixels[row], strength)
        cover(pixels, index)
        return pixels


def cover(pixels: Tensor, index: Tensor) -> None:
    """Draw a square of up to half the image's width (B, 3, H, W) around a random point, cut off at the border."""
    height, width = pixels.shape[-2:]
    colour = torch.tensor(COLOUR, dtype=torch.uint8, device=pixels.device)[:, None, None]
    drawn = [uniform(index, name).tolist() for name in ("rectangle's side", "rectangle's x", "rectangle's y")]
    for image, share, x, y in zip(pixels, *drawn, strict=True):
        side = share * LARGEST_RECTANGLE * width
        left, top = (int(max(0.0, point - side / 2)) for point in (x * width, y * height))
        image[:, top : int(top + side) + 1, left : int(left + side) + 1] = colour


Operation = Callable[[Tensor, float], Tensor]  # of an image (3, H, W) uint8, by a strength from 0 to 1


def between(low: float, high: float, operation: Operation) -> Operation:
    """The operation with an amount from `low` to `high` instead of a strength."""
    return lambda image, strength: operation(image, low + (high - low) * strength)


def shear(image: Tensor, x: float, y: float) -> Tensor:
    """Shift each row by `x` times its number, each column by `y` times its."""
    degrees = [math.degrees(math.atan(amount)) for amount in (x, y)]
    sheared: Tensor = functional.affine(image, angle=0, translate=[0, 0], scale=1, shear=degrees, center=[0, 0])
    return sheared


def translate(image: Tensor, x: float, y: float) -> Tensor:
    """Shift by shares of the image's width and height."""
    height, width = image.shape[-2:]
    moved: Tensor = functional.affine(image, angle=0, translate=[x * width, y * height], scale=1, shear=[0, 0])
    return moved


OPERATIONS: tuple[Operation, ...] = (
    lambda image, _: functional.autocontrast(image),
    between(0.05, 0.95, functional.adjust_brightness),
    between(0.05, 0.95, functional.adjust_saturation),
    between(0.05, 0.95, functional.adjust_contrast),
    lambda image, _: functional.equalize(image),
    lambda image, _: image,
    between(4, 8, lambda image, bits: functional.posterize(image, int(bits))),
    between(-30, 30, functional.rotate),
    between(0.05, 0.95, functional.adjust_sharpness),
    between(-0.3, 0.3, partial(shear, y=0)),
    between(-0.3, 0.3, lambda image, y: shear(image, 0, y)),
    between(0, 255, functional.solarize),
    between(-0.3, 0.3, partial(translate, y=0)),
    between(-0.3, 0.3, lambda image, y: translate(image, 0, y)),
)
