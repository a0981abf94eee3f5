"""The checkpoint that a killed training resumes from, and what it must have in common with the training that resumes."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cellar import files
from cellar.errors import CellarError, reason

CHECKPOINTS = Path(".cache/checkpoints")
COST_SHARE = 0.02  # of the run time may be spent on writing checkpoints
DISK_RATE = 200e6  # bytes a second that a disk writes, when what was written to memory first reaches it
OTHER_PROCESSOR = "CELLAR_OTHER_PROCESSOR"  # environment variable: `resume` allows it
SHOWN = 3  # differences that an error names
HASH = 64  # characters of a sha256


class Checkpoint:
    """The state of a training, kept outside the stage's outputs, which DVC and Snakemake delete when a stage fails.

    `name`: what is trained, such as students/<study>/<experiment>/seed-0; it names the file. `identity`: the settings,
    and the hashes of inputs and code, that the training depends on; a state with another one is refused, not used.
    `processor` computes this process's epochs; another type rounds differently, so it is refused unless asked for.
    """

    def __init__(self, name: str, identity: Mapping[str, Any] | None = None, processor: str = "") -> None:
        self.name, self.processor = name, processor
        self.identity = json.loads(json.dumps(identity or {}))
        self.path = CHECKPOINTS / f"{name.replace('/', '-')}.pt"
        self.cost = 0.0
        self.written = time.monotonic()

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """The saved state, or None if there is none. Only tensors and plain values are read, no code.

        Raises CellarError for a state of another training or type of processor, and for a file that the disk has damaged:
        it was written atomically.
        """
        if not self.path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
            saved, processors = json.loads(state.pop("identity")), list(state["processors"])
        except Exception as error:  # torch's errors for broken files have no common type
            raise CellarError(
                f"{self.path} is broken ({reason(error)}); remove it, and the training begins anew"
            ) from None
        self.check_same(saved)
        self.check_processor(processors)
        return state

    def check_same(self, saved: Mapping[str, Any]) -> None:
        found = list(differences(flat(saved), flat(self.identity)))
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise CellarError(
                f"{self.name}: its checkpoint was written with other settings or code: {'; '.join(found[:SHOWN])}{more}. "
                f"Take that back and it goes on, or begin anew: rm {self.path}"
            )

    def check_processor(self, processors: list[str]) -> None:
        others = [name for name in dict.fromkeys(processors) if name != self.processor]
        if others and os.environ.get(OTHER_PROCESSOR) != "resume":
            raise CellarError(
                f"{self.name}: {epochs_of(processors)}; here is {self.processor}, which rounds differently, so no machine "
                f"would make the same bits again. To go on all the same: {OTHER_PROCESSOR}=resume before the command; to "
                f"begin anew: rm {self.path}"
            )

    def save(self, state: dict[str, Any]) -> None:
        """Write `state`, unless the last one, or the start, is so recent that writing would exceed its share of the run time."""
        started = time.monotonic()
        if started - self.written < max(self.cost, size_of(state) / DISK_RATE) / COST_SHARE:
            return
        whole = state | {"identity": json.dumps(self.identity)}
        files.write_with(self.path, lambda file: torch.save(whole, file))
        self.written = time.monotonic()
        self.cost = self.written - started

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*saved, *now]):
        before, after = saved.get(key), now.get(key)
        if before != after:
            hashed = {len(value) for value in (before, after) if isinstance(value, str)} == {HASH}
            yield f"{key} has changed" if hashed else f"{key} was {before}, is {after}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted key; hashes of files by their path."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix and prefix != "files" else key
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found


def epochs_of(processors: list[str]) -> str:
    """Which epochs ran on which type: `epochs 1 to 12 ran on …, 13 to 20 on …`."""
    parts, first = list[str](), 1
    for name, same in groupby(processors):
        last = first + len(list(same)) - 1
        parts.append(f"{first if first == last else f'{first} to {last}'} {'on' if parts else 'ran on'} {name}")
        first = last + 1
    return f"epochs {', '.join(parts)}"


def size_of(state: Any) -> int:
    """Bytes of the tensors in a state."""
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, dict):
        return sum(map(size_of, state.values()))
    return sum(map(size_of, state)) if isinstance(state, list | tuple) else 0
