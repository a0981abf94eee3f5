"""A teacher: its network, run in batches of one size, alone or with a store of what it computes (OutputStore)."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from cellar.data.inputs.augmentation import Augmentation, Images
from cellar.engine import runtime
from cellar.errors import CellarError
from cellar.models.features import Features

PAUSE, PATIENCE = 0.02, 120.0  # seconds
SHAPES_IN = {"logits": 1, "vector": 2, "last_map": 3}  # content of a row -> how many of its shapes it has


@dataclass
class FixedBatchTeacher:
    """Runs a network on images (N, 1 or 3, H, W) uint8, always `batch_size` at a time.

    The bits of one image's logits depend on the size of its batch, so the size never varies.
    """

    build: Callable[[], nn.Module]  # with its weights, on the images' device; called when first needed
    images: Images
    augmentation: Augmentation
    batch_size: int
    precision: str
    images_forwarded: int = 0  # without padding

    @cached_property
    def model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # a new network's weights must not move the student's dropout
            return self.build().eval()

    def outputs(self, image: Tensor, augmentation: Tensor) -> Iterator[Tensor]:
        """Outputs (b, C) float32 for image numbers and augmentation indices (N,), batch by batch."""
        for start in range(0, len(image), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield self.forward(image[part], augmentation[part])

    @torch.inference_mode()
    def forward(self, image: Tensor, augmentation: Tensor) -> Tensor:
        """Outputs (b, C) float32 for at most `batch_size` pairs."""
        with runtime.autocast(self.images.device, self.precision):
            output: Tensor = self.model(self.filled(image, augmentation))
        return output[: len(image)].float()

    @torch.no_grad()
    def features(self, image: Tensor, augmentation: Tensor) -> Features:
        """Features (b, ...) float32 of a network that serves them, for at most `batch_size` pairs."""
        with runtime.autocast(self.images.device, self.precision):
            features: Features = self.model.features(self.filled(image, augmentation))  # type: ignore[operator]  # no layer
        return features.map(lambda tensor: tensor[: len(image)].float())

    def filled(self, image: Tensor, augmentation: Tensor) -> Tensor:
        """Inputs (batch_size, 3, H, W) of at most so many pairs; the first is repeated to fill the batch."""
        self.images_forwarded += len(image)
        fill = self.batch_size - len(image)
        image, augmentation = (torch.cat([pairs, pairs[:1].expand(fill)]) for pairs in (image, augmentation))
        return self.augmentation.apply(self.images[image], augmentation)


@dataclass(frozen=True)
class Content:
    """What of a teacher's output a row of a store holds, one part after the other.

    `shapes`, of one image: of "logits" (C,); of "vector" also that of the classifier's input, (D,); of "last_map" also that
    of the last map, (c, h, w).
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, name: str, classes: int, features: Features | None = None) -> Self:
        """`features`: those of a network, of any batch, which tell their shapes; for logits alone they are not needed."""
        those = (features.vector, features.maps[-1]) if features else ()
        return cls(name, ((classes,), *(tuple(part.shape[1:]) for part in those))[: SHAPES_IN[name]])

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return sum(map(math.prod, self.shapes))

    def compute(self, network: FixedBatchTeacher, image: Tensor, augmentation: Tensor) -> Tensor:
        """Rows (b, width) float32 for at most `batch_size` pairs."""
        if self.name == "logits":
            return network.forward(image, augmentation)
        features = network.features(image, augmentation)
        parts = (features.logits, features.vector, features.maps[-1])[: len(self.shapes)]
        return torch.cat([part.flatten(1) for part in parts], 1)

    def features(self, rows: Tensor) -> Features:
        """Rows (B, width) -> features with the last map as the only one, or without maps; laid out as a network's are."""
        parts = rows.split([math.prod(shape) for shape in self.shapes], 1)
        logits, vector, *maps = (part.reshape(-1, *shape) for part, shape in zip(parts, self.shapes, strict=True))
        laid = tuple(one.contiguous(memory_format=torch.channels_last) for one in maps)
        return Features(laid, (), vector.contiguous(), logits.contiguous())


class Store(Protocol):
    """What CachedTeacher needs of a store: OutputStore, which documents it."""

    images: int
    width: int
    dtype: np.dtype[Any]

    def look_up(self, image: np.ndarray, augmentation: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...
    def claim(self, image: np.ndarray, augmentation: np.ndarray, most: int) -> np.ndarray: ...
    def write(self, image: np.ndarray, augmentation: np.ndarray, entries: np.ndarray) -> None: ...


class CachedTeacher:
    """A teacher with a store of its outputs. Pairs beyond the store's budget are computed every time, and rounded alike."""

    def __init__(self, network: FixedBatchTeacher, store: Store, content: Content | None = None) -> None:
        """`content`: by default logits alone, as many as a row of the store has numbers."""
        self.network, self.store = network, store
        self.content = content or Content.of("logits", store.width)
        self.returned = 0  # pairs
        self.rounding = 0.0  # the largest |number - stored number| met

    def logits(self, image: Tensor, augmentation: Tensor, advance: Callable[[int], None] | None = None) -> Tensor:
        """Logits (N, C) float32 for image numbers and augmentation indices (N,), no pair twice, on the images' device."""
        return self.outputs(image, augmentation, advance)[:, : self.content.shapes[0][0]]

    def outputs(self, image: Tensor, augmentation: Tensor, advance: Callable[[int], None] | None = None) -> Tensor:
        """Rows (N, width) of the store's content, float32, for the same.

        Jobs that share a teacher share the work: each computes batches that no other has claimed, until none is left.
        """
        advance = advance or runtime.Progress(f"teacher {self.content.name.replace('_', ' ')}", len(image)).advance
        images, augmentations = image.cpu().numpy(), augmentation.cpu().numpy()
        rows = np.zeros((len(image), self.store.width), np.float32)
        left = np.arange(len(image))  # positions that are not yet filled in
        last_progress = time.monotonic()
        while len(left := self.fill_in(rows, images, augmentations, left)):
            mine = left[self.store.claim(images[left], augmentations[left], self.network.batch_size)]
            if len(mine) == 0 and time.monotonic() - last_progress < PATIENCE:
                time.sleep(PAUSE)  # other jobs are computing all that is left
                continue
            if len(mine) == 0:  # they have stopped, or run on a machine whose writes are not visible here
                mine = left[: self.network.batch_size]
            rows[mine] = self.forward(image, augmentation, mine)
            self.store.write(images[mine], augmentations[mine], rows[mine])
            advance(len(mine))
            left, last_progress = np.setdiff1d(left, mine, assume_unique=True), time.monotonic()
        self.returned += len(image)
        return torch.from_numpy(rows).to(image.device)

    def fill_in(self, rows: np.ndarray, images: np.ndarray, indices: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Copy the stored rows of some positions; returns the positions that the store lacks."""
        known, stored = self.store.look_up(images[positions], indices[positions])
        rows[positions[known]] = stored
        unknown: np.ndarray = positions[~known]
        return unknown

    def forward(self, image: Tensor, augmentation: Tensor, positions: np.ndarray) -> np.ndarray:
        """The network's rows (n, width) at some positions, rounded to the store's type."""
        chosen = torch.from_numpy(positions).to(image.device)
        exact = self.content.compute(self.network, image[chosen], augmentation[chosen]).cpu().numpy()
        with np.errstate(over="ignore"):
            stored: np.ndarray = exact.astype(self.store.dtype).astype(np.float32)
        if np.isinf(stored).any() and np.isfinite(exact).all():
            raise CellarError(
                f"a number of the teacher's {self.content.name.replace('_', ' ')} is {np.abs(exact).max():.6g} and fp16 holds at most "
                f"{np.finfo(np.float16).max:,.0f}; set storage: fp32 in teacher_cache in params.yaml"
            )
        self.rounding = max(self.rounding, float(np.abs(stored - exact).max()))
        return stored

    def facts(self) -> dict[str, Any]:
        """For the run record."""
        return {
            "teacher_images_forwarded": self.network.images_forwarded,
            "teacher_images_answered": self.returned,
            f"teacher_{self.content.name}_rounding": self.rounding,
        }
