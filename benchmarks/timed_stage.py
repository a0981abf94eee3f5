"""Runs one stage as `python -m cellar` does, and notes the CPU seconds of its parts. Started by stages.py, in a checkout.

    python timed_stage.py FILE KIND [NAME] [--study STUDY]

FILE gets {part: seconds}; a part does not count what another part does within it. What the process takes before and after is
the caller's to add.
"""

import builtins
import json
import resource
import runpy
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

READING = ("read_json", "read_arrays", "read_tensors", "read_csv")
WRITING = ("write_text", "write_arrays", "write_tensors", "write_with", "write_zeros")


class Clock:
    """Adds the CPU time of this process and of those that it waited for to the innermost part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.parts = ["other"]
        self.last = cpu()

    def lap(self) -> None:
        now = cpu()
        self.seconds[self.parts[-1]] += now - self.last
        self.last = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def within(*arguments: Any, **named: Any) -> Any:
            if self.parts[-1] == part:
                return function(*arguments, **named)
            self.lap()
            self.parts.append(part)
            try:
                return function(*arguments, **named)
            finally:
                self.lap()
                self.parts.pop()

        return within

    def time(self, part: str, module: Any, *names: str) -> None:
        """From now on; a name that the module of an older commit lacks is passed over."""
        for name in names:
            if hasattr(module, name):
                setattr(module, name, self.timed(part, getattr(module, name)))


def cpu() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def main(file: str, *command: str) -> None:
    clock = Clock()
    clock.time("imports", builtins, "__import__")
    from cellar import config, files
    from cellar.pipeline import plan, records
    from cellar.pipeline import run as running

    clock.time("reading", files, *READING)
    clock.time("writing", files, *WRITING)
    clock.time("hashing", files, "hash_file")
    clock.time("reading", config, "load")
    clock.time("reading", running, "definition_of")
    clock.time("record", records, "write")
    kind = plan.KINDS[command[0]]
    object.__setattr__(kind, "run", clock.timed("computation", kind.run))
    sys.argv = ["cellar", *command]
    try:
        runpy.run_module("cellar", run_name="__main__")
    finally:
        clock.lap()
        Path(file).write_text(json.dumps(clock.seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
