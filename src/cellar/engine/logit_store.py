"""Logits of (image, view) pairs on the disk, written by any job at any time, safe when one of them dies.

Two files: logits (rows, C), and one byte a row: nobody has asked, it is known, or the number of the job that is asking;
row = image · views + view. So jobs that share a teacher ask side by side, and nothing twice, on several machines too where
they share the folder and its locks. An entry's bits are the same whoever writes it, and its byte is set after it, so no
reader meets a half-written one. Room is reserved when the store is made: it cannot run out in the middle.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from cellar import files
from cellar.errors import CellarError

FOLDER = Path(".cache/teacher_logits")
DTYPES = {"fp32": np.float32, "fp16": np.float16}
MB = 2**20
NOBODY, KNOWN = 0, 1  # states of a row; more is a job's number
JOBS = range(2, 256)


class LogitStore:
    """`identity` holds all that an entry depends on, and names the files: another teacher, another store.

    It keeps the first images, all their views, for as many as `budget_mb` (2**20 bytes) has room for. Raises
    CellarError when the disk has none, or when what stands in its place is of another shape.
    """

    def __init__(
        self, identity: dict[str, Any], images: int, views: int, classes: int, storage: str, budget_mb: int
    ) -> None:
        self.views, self.classes, self.dtype = views, classes, np.dtype(DTYPES[storage])
        self.kept = min(images, budget_mb * MB // (views * (classes * self.dtype.itemsize + 1)))
        digest = hashlib.sha256(json.dumps([identity, self.kept, storage], sort_keys=True).encode()).hexdigest()
        self.path = FOLDER / digest[:32]
        self.rows = self.kept * views
        with self.locked():
            self.make(".logits", self.rows * classes * self.dtype.itemsize)
            self.make(".state", self.rows)

    def make(self, suffix: str, size: int) -> None:
        """A file of zeros, with its room reserved, if it is not there."""
        path = self.path.with_suffix(suffix)
        if not path.exists():
            with files.atomic(path) as temporary, temporary.open("wb") as file:
                reserve(file.fileno(), size)
        if path.stat().st_size != size:
            raise CellarError(f"{path} was cut or is another's: remove {FOLDER}, it is made again")

    def look_up(self, image: np.ndarray, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pairs (N,) are known, bool (N,), and the logits (n, C) float32 of those."""
        rows = self.rows_of(image, view)
        with self.locked():
            known = self.states(rows) == KNOWN
            logits: np.ndarray = self.read(".logits", self.dtype, self.classes)[rows[known]]
        return known, logits.astype(np.float32)

    def claim(self, image: np.ndarray, view: np.ndarray, most: int) -> np.ndarray:
        """Which pairs (N,) this job is to ask now: places (n,), at most `most`. Other jobs leave them to it while it lives."""
        rows = self.rows_of(image, view)
        with self.locked():
            job, states = self.job, self.states(rows)
            given_up = [number for number in np.unique(states[states > KNOWN]) if not self.lives(int(number))]
            free: np.ndarray = np.flatnonzero(np.isin(states, [NOBODY, job, *given_up]))[:most]
            self.mark(rows[free], job)
        return free

    def write(self, image: np.ndarray, view: np.ndarray, logits: np.ndarray) -> None:
        """Keep the logits (N, C) of the pairs that there is room for."""
        rows = self.rows_of(image, view)
        with self.locked():
            self.put(".logits", rows, logits.astype(self.dtype))
            self.mark(rows, KNOWN)

    @cached_property
    def job(self) -> int:
        """This job's number among those that ask now; its lock is held as long as the job lives. Under `locked`."""
        for number in JOBS:
            self.alive = self.lock_of(number)
            with suppress(Timeout):
                self.alive.acquire(timeout=0)
                self.mark(
                    np.flatnonzero(self.read(".state", np.dtype(np.uint8), 1) == number), NOBODY
                )  # by one that died
                return number
        raise CellarError(f"{len(JOBS)} jobs ask this teacher already; run fewer at once")

    def lives(self, number: int) -> bool:
        """Whether a job of that number runs. Under `locked`."""
        try:
            with self.lock_of(number).acquire(timeout=0):
                return False
        except Timeout:
            return True

    def lock_of(self, number: int) -> FileLock:
        return FileLock(self.path.with_suffix(f".job-{number}.lock"))

    def rows_of(self, image: np.ndarray, view: np.ndarray) -> np.ndarray:
        """(N,); those of images that there is no room for are all `self.rows`, one past the last."""
        rows: np.ndarray = np.where(image < self.kept, image * self.views + view, self.rows)
        return rows

    def states(self, rows: np.ndarray) -> np.ndarray:
        """Of rows (N,); what there is no room for, nobody is ever asking."""
        states: np.ndarray = np.append(self.read(".state", np.dtype(np.uint8), 1), np.uint8(NOBODY))[rows]
        return states

    def mark(self, rows: np.ndarray, state: int) -> None:
        self.put(".state", rows, np.full((len(rows), 1), state, np.uint8))

    def read(self, suffix: str, dtype: np.dtype[Any], width: int) -> np.ndarray:
        """All of a file (rows, width) as it is now: mapped anew, or another machine's writing might not be seen."""
        if self.rows == 0:
            return np.zeros((0, width), dtype)
        mapped: np.ndarray = np.memmap(self.path.with_suffix(suffix), dtype, "r", shape=(self.rows, width))
        return mapped

    def put(self, suffix: str, rows: np.ndarray, entries: np.ndarray) -> None:
        """Write entries (N, width) and nothing beside them: a map's page would take what another machine wrote there along."""
        with self.path.with_suffix(suffix).open("r+b", buffering=0) as file:
            for row, entry in zip(rows, entries, strict=True):
                if row < self.rows:
                    file.seek(int(row) * entry.nbytes)
                    file.write(entry.tobytes())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time; a process that dies gives the lock free."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")):
                yield
        except OSError as error:
            raise CellarError(
                f"{FOLDER} cannot be used: {error.strerror or error}; mend that, then run again"
            ) from None


def reserve(descriptor: int, size: int) -> None:
    """Zeros whose room on the disk is taken, where the system can do that."""
    if size == 0:
        return
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
