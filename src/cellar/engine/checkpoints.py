"""A training's state, kept whole outside the stage's outputs, so that a killed training goes on where it was.

Both DVC and Snakemake delete the outputs of a failed stage; a checkpoint therefore lives under .cache/, in a
file named by the hash of everything the training depends on: another parameter never resumes it.
"""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import torch

from cellar import files
from cellar.errors import CellarError, reason

FOLDER = Path(".cache/checkpoints")
COST_SHARE = 0.02  # of the run's time, at most, goes into writing checkpoints


class Checkpoint:
    """`identity` holds the hashes and parameters that the training depends on."""

    def __init__(self, identity: dict[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.path = FOLDER / f"{digest[:32]}.pt"
        self.cost = 0.0
        self.written = time.monotonic()

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """The saved state, or None if there is none. Only tensors and plain values are read, no code.

        Raises CellarError for one that the disk has spoilt: it was written whole.
        """
        if not self.path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
        except Exception as error:  # what a broken file does to torch has no common type
            raise CellarError(
                f"{self.path} is broken ({reason(error)}); remove it, and the training begins anew"
            ) from None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` unless the last one is so recent that writing would exceed its share of the time."""
        started = time.monotonic()
        if started - self.written < self.cost / COST_SHARE:
            return
        files.write_with(self.path, lambda file: torch.save(state, file))
        self.written = time.monotonic()
        self.cost = self.written - started

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
