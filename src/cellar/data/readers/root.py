"""Where a layout begins: archives of the web unpack to one or two folders around it."""

import shlex
from collections.abc import Callable
from pathlib import Path

from cellar.data.images import visible
from cellar.errors import CellarError

DEEPEST = 2  # folders around a layout that are looked through
PACKED = {".zip": "unzip", ".gz": "tar -xf", ".tgz": "tar -xf", ".bz2": "tar -xf", ".xz": "tar -xf", ".tar": "tar -xf"}
OTHERS = {".7z": "7z x", ".rar": "unrar x"}

Begins = Callable[[Path], bool]


def find_root(path: Path, begins: Begins) -> Path:
    """The folder where a layout begins, see `search`; `path` when there is none. Raises CellarError for an archive left packed."""
    root = search(path, begins)
    if root is None:
        check_unpacked(path)
    return root or path


def search(path: Path, begins: Begins) -> Path | None:
    """`path`, or the one folder at most two levels below it where a layout `begins`. Raises CellarError for two such folders."""
    level = [path] if path.is_dir() else []
    for _ in range(DEEPEST + 1):
        found = [folder for folder in level if begins(folder)]
        if len(found) > 1:
            raise CellarError(f"{path} holds a data set both in {found[0]} and in {found[1]}; give one of them as path")
        if found:
            return found[0]
        level = [entry for folder in level for entry in visible(folder) if entry.is_dir()]
    return None


def check_unpacked(path: Path) -> None:
    """Raises CellarError when `path` is an archive, or holds one (or has it one folder down)."""
    for file in [path] if path.is_file() else packed_files(path):
        command = command_for(file)
        if command:
            there, name = shlex.quote(str(file.parent)), shlex.quote(file.name)
            raise CellarError(f"{file} is left packed; unpack it there: cd {there} && {command} {name}")


def packed_files(path: Path) -> list[Path]:
    """Archives in `path`, then those one folder down."""
    if not path.is_dir():
        return []
    entries = visible(path)
    deeper = [file for entry in entries if entry.is_dir() for file in visible(entry)]
    return [entry for entry in (*entries, *deeper) if command_for(entry) and entry.is_file()]


def command_for(file: Path) -> str | None:
    """What unpacks it, by its name."""
    return (PACKED | OTHERS).get(file.suffix.lower())
