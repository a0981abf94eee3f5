"""Whether the files of a folder can be read and hashed, as far as their names and kinds tell; no file is opened.

DVC hashes a folder before a reader sees it. It stops at a name that is no text and at a link to nothing, waits for ever at a
pipe, and leaves out what it may not list and what lies behind a link to a folder, so that a change there would go unseen.
"""

import math
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from cellar.errors import CellarError

UNSEEN = {".git", ".hg", ".dvc"}  # folders that DVC passes over
ANNEX = ".git/annex/"


def check(path: Path, seconds: float = math.inf) -> bool:
    """Whether all of a file or folder was looked at within `seconds`, the names of folders before those of what is in them.

    Raises CellarError with the first thing that cannot be read or hashed, and what to do about it.
    """
    end = time.monotonic() + seconds
    refuse(path, target_fault(path) or (access_fault(str(path), path.is_dir()) if path.exists() else ""))
    waiting = deque([str(path)] if path.is_dir() else [])
    while waiting:
        for entry in listed(waiting.popleft()):
            if time.monotonic() > end:
                return False
            refuse(entry.path, fault_of(entry, path))
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
    return True


def listed(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name not in UNSEEN)


def refuse(path: Path | str, fault: str) -> None:
    if fault:
        raise CellarError(f"{text_of(path)} {fault}")


def text_of(path: Path | str) -> str:
    """A path as text that any terminal takes: \\xe9 stands for a byte that is no UTF-8."""
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in shown)


def fault_of(entry: os.DirEntry[str], root: Path) -> str:
    """What is wrong with an entry in or below `root`, and what to do; "" if nothing is."""
    if not entry.name.isascii() and not is_utf8(entry.name):
        every = f"convmv -r -f latin1 -t utf8 --notest {text_of(root)}"
        return f"has a name that is not UTF-8; rename it (all such names, if they are Latin-1: {every})"
    if entry.name == ".dvcignore":
        return "is inside a folder that DVC hashes, where DVC allows none; take it out"
    if entry.is_symlink():
        behind = "is a link to a folder, whose files DVC does not hash; put the folder itself there"
        return target_fault(Path(entry.path)) or (behind if entry.is_dir() else access_fault(entry.path, False))
    is_folder = entry.is_dir()
    return access_fault(entry.path, is_folder) if is_folder or entry.is_file() else kind_fault(Path(entry.path))


def is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def target_fault(path: Path) -> str:
    """Of a link that leads nowhere; of a path that may not be followed. None of a path that is simply not there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if not path.is_symlink():
            return ""
        target = text_of(path.readlink())
        get = "fetch it: git annex get" if ANNEX in target else "put the file there, or mount its disk"
        return f"is a link to {target}, which is not here; {get}, or remove the link"
    except OSError as error:  # links that lead back to themselves; folders that may not be entered
        return f"cannot be read ({error.strerror}); mend or remove it"
    return kind_fault(path)


def kind_fault(path: Path) -> str:
    return "" if path.is_dir() or path.is_file() else "is neither a file nor a folder; take it out"


def access_fault(path: str, is_folder: bool) -> str:
    if os.access(path, os.R_OK | os.X_OK if is_folder else os.R_OK):
        return ""
    return f"may not be read by this user; allow it: chmod -R u+rX {text_of(path)}, or ask its owner"
