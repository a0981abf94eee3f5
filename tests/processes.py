"""Processes that a test starts end with the test, with all their descendants, whatever signals they ignore.

An orphan has no parent to be found by, and may have a session of its own; but it has inherited an environment variable.
"""

import contextlib
import os
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

MARK = "STARTED_BY_TEST"


class Ended(subprocess.Popen[str]):
    """A process that is killed, not waited for, when an exception (such as the end of the test's time) leaves its `with` block."""

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        if kind is not None and self.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                top = psutil.Process(self.pid)
                kill_all([top, *top.children(recursive=True)])
        super().__exit__(kind, value, trace)


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """kill -9; some may be gone already."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@contextmanager
def ended() -> Iterator[None]:
    """Processes that were started within and still run are killed afterwards."""
    mark, outer = uuid.uuid4().hex, os.environ.get(MARK, "")
    os.environ[MARK] = f"{outer} {mark}"  # tests may start tests
    try:
        yield
    finally:
        os.environ[MARK] = outer
        for _ in range(50):  # one that is about to be killed may start another; one that the kernel holds is left to it
            if not (left := marked(mark)):
                break
            kill_all(left)
            time.sleep(0.05)


def marked(mark: str) -> list[psutil.Process]:
    """The processes of this machine that inherited the mark; those that are dead and not waited for have none."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if mark.encode() in file.read_bytes():
                found.append(psutil.Process(int(file.parent.name)))
    return found
