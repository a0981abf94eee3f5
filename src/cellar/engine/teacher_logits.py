"""What the teacher says of every (image, view), asked once and shared by experiments, seeds and epochs.

The cache is exact: an entry has the bits of a teacher forward at the cache's batch size, whoever asks, whenever.
It is no output of any stage; deleting it costs time and changes no result.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cellar.data.augmentation.views import Images, ViewSet
from cellar.engine import devices
from cellar.engine.logit_store import LogitStore

Advance = Callable[[int], None]
PAUSE, PATIENCE = 0.02, 120.0  # seconds


@dataclass
class Asker:
    """Asks a teacher of images (N, 1 or 3, H, W) uint8, always `batch_size` at a time.

    The bits of one image's logits depend on how long its batch is, so the length never varies.
    """

    build_teacher: Callable[[], nn.Module]  # with its weights, on the images' device; called when first needed
    images: Images
    views: ViewSet
    batch_size: int
    precision: str
    forwarded: int = 0  # images that the teacher was asked of, padding left out

    @cached_property
    def teacher(self) -> nn.Module:
        return self.build_teacher().eval()

    def batches(self, index: Tensor, view: Tensor) -> Iterator[Tensor]:
        """Logits (b, C) float32 of the pairs (index, view), both (N,), batch after batch."""
        for start in range(0, len(index), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield self.forward(index[part], view[part])

    @torch.inference_mode()
    def forward(self, index: Tensor, view: Tensor) -> Tensor:
        """Logits (b, C) of at most `batch_size` pairs; the first is repeated until the batch is full."""
        asked = len(index)
        self.forwarded += asked
        index, view = (torch.cat([pairs, pairs[:1].expand(self.batch_size - asked)]) for pairs in (index, view))
        with devices.autocast(self.images.device, self.precision):
            logits: Tensor = self.teacher(self.views.cut(self.images[index], view))
        return logits[:asked].float()


class TeacherCache:
    """A teacher that remembers. Pairs without room in the store are asked anew every time, and rounded all the same."""

    def __init__(self, asker: Asker, store: LogitStore) -> None:
        self.asker, self.store = asker, store
        self.answered = 0  # pairs
        self.rounding = 0.0  # the largest |logit - stored logit| met

    def ask(self, index: Tensor, view: Tensor, advance: Advance) -> Tensor:
        """Logits (N, C) float32 of the pairs (index, view), both (N,), no pair twice, on the images' device.

        Jobs that share a teacher share the asking: each takes a batch that no other has claimed, until nothing is left.
        """
        images, views = index.cpu().numpy(), view.cpu().numpy()
        answers = np.zeros((len(index), self.store.classes), np.float32)
        left = np.arange(len(index))  # places without an answer
        moved = time.monotonic()
        while len(left := self.fill_in(answers, images, views, left)):
            mine = left[self.store.claim(images[left], views[left], self.asker.batch_size)]
            if len(mine) == 0 and time.monotonic() - moved < PATIENCE:
                time.sleep(PAUSE)  # other jobs are asking all that is left
                continue
            if len(mine) == 0:  # they stand still, or are on a machine whose writing is not seen here
                mine = left[: self.asker.batch_size]
            answers[mine] = self.forward(index, view, mine)
            self.store.write(images[mine], views[mine], answers[mine])
            advance(len(mine))
            left, moved = np.setdiff1d(left, mine, assume_unique=True), time.monotonic()
        self.answered += len(index)
        return torch.from_numpy(answers).to(index.device)

    def fill_in(self, answers: np.ndarray, images: np.ndarray, views: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Put in what the store knows of some places; those of which it does not."""
        known, logits = self.store.look_up(images[places], views[places])
        answers[places[known]] = logits
        unknown: np.ndarray = places[~known]
        return unknown

    def forward(self, index: Tensor, view: Tensor, places: np.ndarray) -> np.ndarray:
        """The teacher's logits (n, C) of some places, rounded as the store keeps them."""
        chosen = torch.from_numpy(places).to(index.device)
        exact = self.asker.forward(index[chosen], view[chosen]).cpu().numpy()
        stored: np.ndarray = exact.astype(self.store.dtype).astype(np.float32)
        self.rounding = max(self.rounding, float(np.abs(stored - exact).max()))
        return stored

    def facts(self) -> dict[str, Any]:
        """What a run's record says of it."""
        return {
            "teacher_images_forwarded": self.asker.forwarded,
            "teacher_images_answered": self.answered,
            "teacher_logits_rounding": self.rounding,
        }
