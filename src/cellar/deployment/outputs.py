"""Where a command may write; asked before anything is read, for to read a video takes minutes."""

from collections.abc import Sequence
from pathlib import Path

from cellar.errors import CellarError


def check(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Raises CellarError for an output that is a folder, that lies below a file, or that would replace an input or
    another output."""
    taken = {path.resolve() for path in inputs}
    for output in outputs:
        place = output.resolve()
        if place.is_dir():
            raise CellarError(f"{output} is a folder; name a file to write")
        above = next(folder for folder in place.parents if folder.exists())
        if not above.is_dir():
            raise CellarError(f"{output} cannot be written, for {above} is a file; name another place")
        if place in taken:
            raise CellarError(f"{output} would replace what this command reads, or writes besides; name another place")
        taken.add(place)
