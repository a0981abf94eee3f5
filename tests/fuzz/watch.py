"""What a reader may do with a hostile file: give a value, or refuse it in one line; within a time, in bounded memory,
running nothing of it, and writing nowhere but in its folder.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from cellar.errors import CellarError
from tests.fuzz.readers import READERS, Reader, seeds

SECONDS = 10.0
MOST_MEMORY = 256 << 20  # bytes that a case may take
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MOST_LETTERS = 600  # of a message, its path apart
RUNS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.",
    "pickle.find_class",
)
CHANGES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.chmod",
    "os.chown",
    "os.truncate",
}
TRAPS = {"antigravity", "this", "__hello__"}  # modules that nothing here imports


class Hang(BaseException):
    """The time is over; no reader's `except Exception` catches it."""


class Watch:
    """Python's own audit events while a reader runs. One hook for good: hooks cannot be taken off."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.seen: list[str] = []
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        if event.startswith(RUNS) or (event == "import" and arguments[0] in TRAPS):
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event in CHANGES or (event == "open" and writes(arguments)):
            for path in changed(event, arguments):
                if not self.inside(path):
                    self.seen.append(f"{event} {path!r:.200}")

    def inside(self, path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return True  # a descriptor that is open already
        place = Path(os.fsdecode(path))
        return (place.parent.resolve() / place.name).is_relative_to(Path(str(self.folder)).resolve())

    @contextmanager
    def on(self, folder: Path) -> Iterator[list[str]]:
        self.folder, self.seen = folder, []
        try:
            yield self.seen
        finally:
            self.folder = None


def changed(event: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The paths that an event makes, changes or removes; none of a folder that is held open already (shutil.rmtree)."""
    if event in {"os.rename", "os.link"}:
        return arguments[:2]
    if event == "os.symlink":
        return arguments[1:2]
    held = event in {"os.rmdir", "os.remove"} and arguments[1] not in (None, -1)
    return () if held else arguments[:1]


def writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str) and set(mode) & set("wax+"):
        return True
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


WATCH = Watch()


def expired(signum: int, frame: FrameType | None) -> None:
    raise Hang


def peak_memory() -> int:
    """The most that this process has held, in bytes, since forget_peak."""
    status = STATUS.read_text() if STATUS.exists() else ""
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return 1024 * int(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def forget_peak() -> None:
    """Begin to measure anew, where Linux lets us; else a case hides behind a larger one before it."""
    with suppress(OSError):
        CLEAR.write_text("5")


def warm_up() -> None:
    """Read every corpus once, unwatched: libraries import, compile and make folders of their own at first use."""
    for name, read in READERS.items():
        for content in seeds(name):
            with TemporaryDirectory() as folder, suppress(Exception):
                read(Path(folder), content)


def assert_answers(read: Reader, content: bytes, folder: Path) -> str:
    """Whether it was "read" or "refused". Raises AssertionError for all else; a reader's own exception comes as it is."""
    folder.mkdir(parents=True)
    forget_peak()
    beside, before = sorted(folder.parent.iterdir()), peak_memory()
    signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with WATCH.on(folder) as seen:
            read(folder, content)
        outcome = "read"
    except CellarError as error:
        outcome = "refused"
        line = str(error).replace(str(folder), "")
        assert line.isprintable(), f"no single line of plain letters: {line!r:.300}"
        assert len(line) < MOST_LETTERS, f"a line of {len(line)} letters: {line:.300}"
    except Hang:
        raise AssertionError(f"no answer after {SECONDS} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert not seen, f"it did what no reader does: {seen[:3]}"
    assert sorted(folder.parent.iterdir()) == beside, "it wrote outside its folder"
    assert peak_memory() - before < MOST_MEMORY, f"it took {(peak_memory() - before) >> 20} MiB"
    return outcome
