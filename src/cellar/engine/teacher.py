"""Teacher logits for every (image, augmentation), computed once and shared by experiments, seeds and epochs.

The cache is exact: an entry has the bits of a forward pass at the cache's batch size, whichever job computes it. It is no
output of a stage; deleting it costs time and changes no result. It is two files: logits (rows, C), and one byte per row:
unclaimed, known, or the number of the job that computes it; row = image · augmentations + augmentation. So jobs share the
work, also on several machines that share the folder and its locks. The byte is written last: no reader sees half an entry.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn

from cellar import files, paths
from cellar.data.inputs.augmentation import Augmentation, Images
from cellar.engine import runtime
from cellar.errors import CellarError
from cellar.models.features import Features

if TYPE_CHECKING:
    from cellar.engine.activations import TeacherOutput

FOLDER = paths.TEACHER_LOGITS
MB = 2**20
DTYPES = {"fp32": np.float32, "fp16": np.float16}
UNCLAIMED, KNOWN = 0, 1  # states of a row; larger numbers are jobs
JOBS = range(2, 256)
PAUSE, PATIENCE = 0.02, 120.0  # seconds


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


class LogitStore:
    """`identity` holds everything that an entry depends on, and names the files: another teacher, another store.

    It holds the first images, with all augmentations, as far as `budget_mb` (2**20 bytes) allows. Raises CellarError when
    the disk is full, or a file has another size.
    """

    def __init__(
        self, identity: dict[str, Any], images: int, augmentations: int, classes: int, storage: str, budget_mb: int
    ) -> None:
        self.augmentations, self.classes, self.dtype = augmentations, classes, np.dtype(DTYPES[storage])
        self.images = min(images, budget_mb * MB // (augmentations * (classes * self.dtype.itemsize + 1)))
        digest = hashlib.sha256(json.dumps([identity, self.images, storage], sort_keys=True).encode()).hexdigest()
        self.path = FOLDER / digest[:32]
        self.rows = self.images * augmentations
        with self.locked():
            self.make(".logits", self.rows * classes * self.dtype.itemsize)
            self.make(".state", self.rows)

    def make(self, suffix: str, size: int) -> None:
        """A file of zeros with its disk space reserved, if it does not exist."""
        path = self.path.with_suffix(suffix)
        if not path.exists():
            files.write_zeros(path, size)
        if path.stat().st_size != size:
            raise CellarError(f"{path} was cut or is another's: remove {FOLDER}, it is made again")

    def look_up(self, image: np.ndarray, augmentation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs (N,) are known, bool (N,), and the logits (n, C) float32 of these."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            known = self.states(rows) == KNOWN
            logits: np.ndarray = self.read(".logits", self.dtype, self.classes)[rows[known]]
        return known, logits.astype(np.float32)

    def claim(self, image: np.ndarray, augmentation: np.ndarray, most: int) -> np.ndarray:
        """Positions (n,), at most `most`, of the pairs (N,) that this job is to compute now; other jobs skip them."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            job, states = self.job, self.states(rows)
            dead = [number for number in np.unique(states[states > KNOWN]) if not self.is_alive(int(number))]
            free: np.ndarray = np.flatnonzero(np.isin(states, [UNCLAIMED, job, *dead]))[:most]
            self.mark(rows[free], job)
        return free

    def write(self, image: np.ndarray, augmentation: np.ndarray, logits: np.ndarray) -> None:
        """Store the logits (N, C) of the pairs within the budget."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            self.put(".logits", rows, logits.astype(self.dtype))
            self.mark(rows, KNOWN)

    @cached_property
    def job(self) -> int:
        """This job's number; its lock is held as long as the process lives. Call it under `locked`."""
        for number in JOBS:
            self.alive = self.lock_of(number)
            with suppress(Timeout):
                self.alive.acquire(timeout=0)
                claimed = self.read(".state", np.dtype(np.uint8), 1) == number  # by a process that died
                self.mark(np.flatnonzero(claimed), UNCLAIMED)
                return number
        raise CellarError(f"{len(JOBS)} jobs ask this teacher already; run fewer at once")

    def is_alive(self, number: int) -> bool:
        """Whether a job with this number is running. Call it under `locked`."""
        try:
            with self.lock_of(number).acquire(timeout=0):
                return False
        except Timeout:
            return True

    def lock_of(self, number: int) -> FileLock:
        return FileLock(self.path.with_suffix(f".job-{number}.lock"))

    def rows_of(self, image: np.ndarray, augmentation: np.ndarray) -> np.ndarray:
        """Rows (N,); for images beyond the budget `self.rows`, one past the last."""
        rows: np.ndarray = np.where(image < self.images, image * self.augmentations + augmentation, self.rows)
        return rows

    def states(self, rows: np.ndarray) -> np.ndarray:
        """State of each row (N,); rows beyond the budget are always unclaimed."""
        states: np.ndarray = np.append(self.read(".state", np.dtype(np.uint8), 1), np.uint8(UNCLAIMED))[rows]
        return states

    def mark(self, rows: np.ndarray, state: int) -> None:
        self.put(".state", rows, np.full((len(rows), 1), state, np.uint8))

    def read(self, suffix: str, dtype: np.dtype[Any], width: int) -> np.ndarray:
        """A file's current content (rows, width): mapped anew each time, or another machine's writes might be missed."""
        if self.rows == 0:
            return np.zeros((0, width), dtype)
        mapped: np.ndarray = np.memmap(self.path.with_suffix(suffix), dtype, "r", shape=(self.rows, width))
        return mapped

    def put(self, suffix: str, rows: np.ndarray, entries: np.ndarray) -> None:
        """Write entries (N, width) and no byte beside them: a mapped page would overwrite what another machine wrote there."""
        with self.path.with_suffix(suffix).open("r+b", buffering=0) as file:
            for row, entry in zip(rows, entries, strict=True):
                if row < self.rows:
                    file.seek(int(row) * entry.nbytes)
                    file.write(entry.tobytes())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time; the system releases the lock of a process that dies."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")):
                yield
        except OSError as error:
            raise CellarError(
                f"{FOLDER} cannot be used: {error.strerror or error}; mend that, then run again"
            ) from None


class CachedTeacher:
    """A teacher with a store of its logits. Pairs beyond the store's budget are computed every time, and rounded alike."""

    def __init__(self, network: FixedBatchTeacher, store: LogitStore) -> None:
        self.network, self.store = network, store
        self.returned = 0  # pairs
        self.rounding = 0.0  # the largest |logit - stored logit| met

    def logits(self, image: Tensor, augmentation: Tensor, advance: Callable[[int], None] | None = None) -> Tensor:
        """Logits (N, C) float32 for image numbers and augmentation indices (N,), no pair twice, on the images' device.

        Jobs that share a teacher share the work: each computes batches that no other has claimed, until none is left.
        """
        advance = advance or runtime.Progress("teacher logits", len(image)).advance
        images, augmentations = image.cpu().numpy(), augmentation.cpu().numpy()
        logits = np.zeros((len(image), self.store.classes), np.float32)
        left = np.arange(len(image))  # positions without logits
        last_progress = time.monotonic()
        while len(left := self.fill_in(logits, images, augmentations, left)):
            mine = left[self.store.claim(images[left], augmentations[left], self.network.batch_size)]
            if len(mine) == 0 and time.monotonic() - last_progress < PATIENCE:
                time.sleep(PAUSE)  # other jobs are computing all that is left
                continue
            if len(mine) == 0:  # they have stopped, or run on a machine whose writes are not visible here
                mine = left[: self.network.batch_size]
            logits[mine] = self.forward(image, augmentation, mine)
            self.store.write(images[mine], augmentations[mine], logits[mine])
            advance(len(mine))
            left, last_progress = np.setdiff1d(left, mine, assume_unique=True), time.monotonic()
        self.returned += len(image)
        return torch.from_numpy(logits).to(image.device)

    def fill_in(self, logits: np.ndarray, images: np.ndarray, indices: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Copy the stored logits of some positions; returns the positions that the store lacks."""
        known, stored = self.store.look_up(images[positions], indices[positions])
        logits[positions[known]] = stored
        unknown: np.ndarray = positions[~known]
        return unknown

    def forward(self, image: Tensor, augmentation: Tensor, positions: np.ndarray) -> np.ndarray:
        """The network's logits (n, C) at some positions, rounded to the store's type."""
        chosen = torch.from_numpy(positions).to(image.device)
        exact = self.network.forward(image[chosen], augmentation[chosen]).cpu().numpy()
        stored: np.ndarray = exact.astype(self.store.dtype).astype(np.float32)
        self.rounding = max(self.rounding, float(np.abs(stored - exact).max()))
        return stored

    def run(self, image: Tensor, augmentation: Tensor) -> "TeacherOutput":
        """Logits and penultimate activations of these pairs (B,), computed live, without the store."""
        from cellar.engine.activations import forward_with_features  # builds on this file

        return forward_with_features(self.network, image, augmentation)

    def facts(self) -> dict[str, Any]:
        """For the run record."""
        return {
            "teacher_images_forwarded": self.network.images_forwarded,
            "teacher_images_answered": self.returned,
            "teacher_logits_rounding": self.rounding,
        }
