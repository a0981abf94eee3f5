"""What lies in a data folder and is no data: files of desktops and servers, and what web sites give in place of a file.

.dvcignore has the same list (a test compares them), so that looking at the images makes no stage stale.
"""

from fnmatch import fnmatchcase
from pathlib import Path

from cellar.errors import CellarError

SYSTEM_FILES = (
    ".DS_Store",
    "._*",
    ".AppleDouble",
    ".Spotlight-V100",
    ".Trashes",
    ".fseventsd",
    "__MACOSX",
    "[Tt]humbs.db",
    "ehthumbs.db",
    "[Dd]esktop.ini",
    "$RECYCLE.BIN",
    "System Volume Information",
    "@eaDir",
    ".directory",
    ".Trash-*",
    ".nfs*",
    ".fuse_hidden*",
    ".ipynb_checkpoints",
)
"""Patterns of names, as .dvcignore has them: of macOS, Windows, Synology, KDE, other Linux, and Jupyter."""

LFS = b"version https://git-lfs"
HTML = (b"<!doctype html", b"<html", b"<head", b"<?xml")
ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}
BEGINNING = 512  # bytes that are looked at


def is_system_file(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in SYSTEM_FILES)


def check_is_data(path: Path, start: bytes | None = None) -> None:
    """Raises CellarError when the file is none of its kind by its first bytes (read here, if `start` is not given)."""
    if start is None:
        start = beginning(path)
    found = kind_of(start[:BEGINNING])
    if found:
        raise CellarError(f"{path} is {found[0]}; {found[1]}")


def beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BEGINNING)
    except OSError as error:
        raise CellarError(f"{path} cannot be read ({error.strerror}); mend or replace the file") from None


def kind_of(start: bytes) -> tuple[str, str] | None:
    """What a file is in place of data, and what to do; None where nothing is known against it."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start:
        return "an empty file", "its download or copy was cut off: get it again"
    if text.startswith(LFS):
        return "a git-LFS pointer, not the file itself", "fetch the file: git lfs pull, in the repository it came from"
    if text.startswith(HTML):
        return "a web page, not the file itself", "log in or accept the terms in a browser, then download it again"
    for magic, name in ARCHIVES.items():
        if start.startswith(magic):
            return f"{name}, whatever its name", "unpack it, and put what it holds in its place"
    return None
