"""A store on disk of what a teacher computes of each (image, augmentation), shared by experiments, seeds and epochs.

It is exact: an entry has the bits of a forward pass at the cache's batch size, whichever job computes it. It is no output of
a stage; deleting it costs time and changes no result. It is two files: rows of numbers (rows, width), and one byte per row:
unclaimed, known, or the number of the job that computes it; row = image · augmentations + augmentation. So jobs share the
work, also on several machines that share the folder and its locks. The byte is written last: no reader sees half an entry.
"""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from cellar import files, paths
from cellar.errors import CellarError

FOLDER = paths.TEACHER_LOGITS
MB = 2**20
DTYPES = {"fp32": np.float32, "fp16": np.float16}
UNCLAIMED, KNOWN = 0, 1  # states of a row; larger numbers are jobs
JOBS = range(2, 256)


def images_held(images: int, augmentations: int, width: int, storage: str, budget_mb: int) -> int:
    """How many images a store has room for, with all their augmentations; `budget_mb` counts 2**20 bytes."""
    return min(images, budget_mb * MB // (augmentations * (width * np.dtype(DTYPES[storage]).itemsize + 1)))


class OutputStore:
    """`identity` holds everything that an entry depends on, and names the files: another teacher, another store.

    It holds the first images, with all augmentations, as far as `budget_mb` (2**20 bytes) allows. `content` says what the
    `width` numbers of a row are. Raises CellarError when the disk is full, or a file has another size.
    """

    def __init__(
        self,
        identity: dict[str, Any],
        images: int,
        augmentations: int,
        width: int,
        storage: str,
        budget_mb: int,
        content: str = "logits",
    ) -> None:
        self.augmentations, self.width, self.dtype = augmentations, width, np.dtype(DTYPES[storage])
        self.images = images_held(images, augmentations, width, storage, budget_mb)
        if content != "logits":  # whose stores had their names before there were others
            identity = identity | {"content": content}
        digest = hashlib.sha256(json.dumps([identity, self.images, storage], sort_keys=True).encode()).hexdigest()
        self.path, self.suffix = FOLDER / digest[:32], f".{content}"
        self.rows = self.images * augmentations
        with self.locked():
            self.make(self.suffix, self.rows * width * self.dtype.itemsize)
            self.make(".state", self.rows)

    def make(self, suffix: str, size: int) -> None:
        """A file of zeros with its disk space reserved, if it does not exist."""
        path = self.path.with_suffix(suffix)
        if not path.exists():
            files.write_zeros(path, size)
        if path.stat().st_size != size:
            raise CellarError(f"{path} was cut or is another's: remove {FOLDER}, it is made again")

    def look_up(self, image: np.ndarray, augmentation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs (N,) are known, bool (N,), and the entries (n, width) float32 of these."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            known = self.states(rows) == KNOWN
            entries: np.ndarray = self.read(self.suffix, self.dtype, self.width)[rows[known]]
        return known, entries.astype(np.float32)

    def claim(self, image: np.ndarray, augmentation: np.ndarray, most: int) -> np.ndarray:
        """Positions (n,), at most `most`, of the pairs (N,) that this job is to compute now; other jobs skip them."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            job, states = self.job, self.states(rows)
            dead = [number for number in np.unique(states[states > KNOWN]) if not self.is_alive(int(number))]
            free: np.ndarray = np.flatnonzero(np.isin(states, [UNCLAIMED, job, *dead]))[:most]
            self.mark(rows[free], job)
        return free

    def write(self, image: np.ndarray, augmentation: np.ndarray, entries: np.ndarray) -> None:
        """Store the entries (N, width) of the pairs within the budget."""
        rows = self.rows_of(image, augmentation)
        with self.locked():
            self.put(self.suffix, rows, entries.astype(self.dtype))
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
        states, within = np.full(len(rows), UNCLAIMED, np.uint8), rows < self.rows
        states[within] = self.read(".state", np.dtype(np.uint8), 1)[rows[within], 0]
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
                    if file.write(entry.tobytes()) < entry.nbytes:  # what the system does where the disk ends
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if suffix == self.suffix:
                os.fsync(file.fileno())  # before a byte says so: a machine may lose its power in between

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
