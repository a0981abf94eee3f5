"""How images become a model's input: resizing, a finite set of augmentations, normalisation.

An augmented image is named by the pair (image, augmentation index), so that a teacher's logits can be stored and looked
up. Index 0 is the image itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cellar.data.inputs.prepared import ImageSet

PADDING = {"flip": 0, "crop_flip": 4}  # pixels of black around an image before it is cropped back to its size
NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),  # ResEmoteNet's own code
    "cifar100": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),  # the report's own code, and RepDistiller's
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # -1 to 1: the range of StyleGAN2's images
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),  # 0 to 1: the small-dataset study's own code, for every network
    # What VGGFace2's published weights expect: 0 to 255 minus its mean, and the channels from blue to red.
    "vggface2": (tuple(mean / 255 for mean in (131.0912, 103.8827, 91.4953)), (1 / 255, 1 / 255, 1 / 255)),
}
BLUE_FIRST = ("vggface2",)


class Images(Protocol):
    """(N, 1 or 3, H, W) uint8 on a device: a tensor, or an object that reads images when they are indexed."""

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor, /) -> Tensor: ...


class Preprocessing(Protocol):
    """The resolved settings of a model's input (cellar.config.resolved.InputSettings)."""

    @property
    def input_size(self) -> int: ...

    @property
    def augmentation(self) -> Any: ...

    @property
    def normalisation(self) -> str: ...


class Augmentation(Protocol):
    """What becomes of an image before a network sees it, by an augmentation index; 0 is the image itself."""

    @property
    def count(self) -> int:
        """How many augmentations an image has; indices are below it."""
        ...

    def apply(self, images: Tensor, augmentation: Tensor, /) -> Tensor:
        """Images (B, 1 or 3, H, W) uint8 and augmentation indices (B,) -> a network's inputs (B, ...)."""
        ...


@dataclass(frozen=True)
class FiniteAugmentation:
    """`flip`: 2 augmentations, none and mirrored. `crop_flip`: 9 · 9 · 2 = 162, a crop of the padded image, mirrored or not.

    `mean` and `std` of red, green and blue, of pixels from 0 to 1; `blue_first` reverses the order of the channels.
    """

    padding: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    blue_first: bool = False

    @property
    def shifts(self) -> int:
        """Positions of the crop along one side."""
        return 2 * self.padding + 1

    @property
    def count(self) -> int:
        """How many augmentations an image has; indices are below it."""
        return 2 * self.shifts**2

    def apply(self, images: Tensor, augmentation: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) uint8 and augmentation indices (B,) -> (B, 3, H, W) normalised float32, channels last."""
        return self.normalise(self.transform(images, augmentation))

    def transform(self, images: Tensor, augmentation: Tensor) -> Tensor:
        """Images (B, 1 or 3, H, W) uint8 and augmentation indices (B,) -> augmented images, pixels from 0 to 255."""
        mirrored = (augmentation % 2).bool()[:, None, None, None]
        images = self.crop(images, augmentation // 2) if self.padding else images
        return torch.where(mirrored, images.flip(-1), images)

    def normalise(self, images: Tensor) -> Tensor:
        """(B, 1 or 3, H, W), uint8 or float from 0 to 255, -> (B, 3, H, W) float32, channels last."""
        mean, std = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (self.mean, self.std))
        inputs = (images.float() / 255 - mean) / std
        return (inputs.flip(1) if self.blue_first else inputs).contiguous(memory_format=torch.channels_last)

    def crop(self, images: Tensor, position: Tensor) -> Tensor:
        """The crops at `position` (B,), counted row by row from the middle and around: 0 is the image itself."""
        height, width = images.shape[-2:]
        top, left = ((p + self.padding) % self.shifts for p in (position // self.shifts, position % self.shifts))
        windows = functional.pad(images, [self.padding] * 4).unfold(2, height, 1).unfold(3, width, 1)
        return windows[torch.arange(len(images), device=images.device), :, top, left]


def unaugmented(images: Images, augmentation: Augmentation, batch_size: int) -> Iterator[Tensor]:
    """Inputs of every image once, in order, with augmentation index 0, in batches."""
    for index in torch.arange(len(images), device=images.device).split(batch_size):
        yield augmentation.apply(images[index], torch.zeros_like(index))


def build_augmentation(
    augmentation: str | Mapping[str, float] | Iterable[tuple[str, float]], normalisation: str
) -> FiniteAugmentation:
    """`augmentation`: a key of PADDING, or the transforms of the random augmentation with their probabilities."""
    (mean, std), blue_first = NORMALISATIONS[normalisation], normalisation in BLUE_FIRST
    if isinstance(augmentation, str):
        return FiniteAugmentation(PADDING[augmentation], mean, std, blue_first)
    from cellar.data.inputs.random_augmentation import RandomAugmentation  # builds on this file

    return RandomAugmentation(0, mean, std, blue_first, **dict(augmentation))


def to_tensor(images: np.ndarray, size: int, device: torch.device, chunk: int = 4096) -> Tensor:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, 1 or 3, size, size) uint8 on `device`, resized once."""
    pixels = torch.from_numpy(images)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    if pixels.shape[-2:] != (size, size):
        from torchvision.transforms.v2 import functional as resizing  # slow to import, and seldom needed

        pixels = torch.cat([resizing.resize(part, [size, size], antialias=True) for part in pixels.split(chunk)])
    return pixels.contiguous().to(device)


@dataclass(frozen=True)
class Split:
    """Images (N, 1 or 3, H, W) uint8 and labels (N,) on one device, and how the images are augmented and normalised."""

    images: Images
    labels: Tensor
    augmentation: Augmentation


def open_split(image_set: ImageSet, rows: slice | np.ndarray, inputs: Preprocessing, device: torch.device) -> Split:
    """These rows of an image set, as inputs of a model."""
    images = to_tensor(image_set.images[rows], inputs.input_size, device)
    labels = torch.from_numpy(image_set.labels[rows]).to(device)
    return Split(images, labels, build_augmentation(inputs.augmentation, inputs.normalisation))
