"""Logits of (image, view) pairs on the disk, written by any job at any time, safe when one of them dies.

Two files: logits (rows, C), and one byte a row that says whether it is known; row = image · views + view. An entry's
bits are the same whoever writes it, and its byte is set after it, so no reader meets a half-written one. Room is
reserved when the store is made: it cannot run out in the middle.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from cellar import files
from cellar.errors import CellarError

FOLDER = Path(".cache/teacher_logits")
DTYPES = {"fp32": np.float32, "fp16": np.float16}
MB = 2**20


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
        rows = self.kept * views
        with self.locked():
            self.logits = self.open(".logits", (rows, classes), self.dtype)
            self.known = self.open(".known", (rows,), np.dtype(np.uint8))

    def open(self, suffix: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        """The file as an array that writes through; made of zeros, with its room reserved, if it is not there."""
        path, size = self.path.with_suffix(suffix), int(np.prod(shape)) * dtype.itemsize
        if size == 0:
            return np.zeros(shape, dtype)
        if not path.exists():
            with files.atomic(path) as temporary, temporary.open("wb") as file:
                reserve(file.fileno(), size)
        if path.stat().st_size != size:
            raise CellarError(f"{path} was cut or is another's: remove {FOLDER}, it is made again")
        mapped: np.ndarray = np.memmap(path, dtype, "r+", shape=shape)
        return mapped

    def knows(self, image: np.ndarray, view: np.ndarray) -> np.ndarray:
        """Which pairs (N,) can be read: bool (N,)."""
        known = np.zeros(len(image), bool)
        inside = image < self.kept
        known[inside] = self.known[self.rows(image[inside], view[inside])] == 1
        return known

    def read(self, image: np.ndarray, view: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Logits (N, C) float32; those of pairs that are not `known` are zeros."""
        logits = np.zeros((len(image), self.classes), np.float32)
        logits[known] = self.logits[self.rows(image[known], view[known])]
        return logits

    def write(self, image: np.ndarray, view: np.ndarray, logits: np.ndarray) -> None:
        """Keep the logits (N, C) of the pairs that there is room for."""
        inside = image < self.kept
        rows = self.rows(image[inside], view[inside])
        self.logits[rows] = logits[inside]
        self.known[rows] = 1

    def rows(self, image: np.ndarray, view: np.ndarray) -> np.ndarray:
        found: np.ndarray = image * self.views + view
        return found

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
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
