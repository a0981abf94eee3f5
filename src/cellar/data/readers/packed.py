"""Files of an archive that was left packed, read where they are: by exact name, up to a size, nothing unpacked."""

import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from cellar.data.foreign import beginning, is_system_file, kind_of
from cellar.data.unpack import open_tar
from cellar.errors import CellarError, reason

MOST_MEMBERS = 1000  # looked at, and of MOST_BYTES together: an archive of images is not searched to its end
MOST_BYTES = 4 * 2**30


def read_members(archive: Path, names: Iterable[str], max_bytes: int) -> dict[str, bytes]:
    """Name -> content of the files `names` (each a file's own name, whatever folders are around it) in a zip or tar.

    Names that are not in it are left out. Raises CellarError when the archive is broken, one of them has more than
    `max_bytes`, or two have one name.
    """
    wanted = set(names)
    check_is_archive(archive)
    try:
        if zipfile.is_zipfile(archive):
            return read_zip(archive, wanted, max_bytes)
        return read_tar(archive, wanted, max_bytes)
    except CellarError:
        raise
    except Exception as error:  # a broken archive can raise nearly anything
        raise CellarError(f"{archive} cannot be read ({reason(error)}); get it again") from None


def is_packed(path: Path) -> bool:
    """Whether it begins as an archive does, whatever its name."""
    found = kind_of(beginning(path))
    return found is not None and "archive" in found[0]


def zip_holds(path: Path, names: Iterable[str]) -> bool:
    """Whether `path` is a zip with a file of one of `names`: its list of contents is looked at, nothing is read."""
    try:
        with zipfile.ZipFile(path) as members:
            inside = [name for name in members.namelist() if not in_system_folder(name)]
    except Exception:  # a broken archive can raise nearly anything
        return False
    return any(PurePosixPath(name).name in set(names) for name in inside)


def check_is_archive(archive: Path) -> None:
    """Raises CellarError for an empty file, or what web sites give in place of an archive."""
    start = beginning(archive)
    found = kind_of(start)
    if found and "archive" not in found[0]:
        raise CellarError(f"{archive} is {found[0]}; {found[1]}")


def read_zip(archive: Path, wanted: set[str], max_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            name = PurePosixPath(member.filename).name
            if name in wanted and not in_system_folder(member.filename) and not member.is_dir():
                with members.open(member) as content:
                    found[name] = read_one(archive, name, found, content, max_bytes)
    return found


def read_tar(archive: Path, wanted: set[str], max_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with open_tar(archive) as members:
        for count, member in enumerate(members):
            name = PurePosixPath(member.name).name
            if name in wanted and not in_system_folder(member.name) and member.isreg():
                content = members.extractfile(member)
                assert content is not None  # of a regular file
                with content:
                    found[name] = read_one(archive, name, found, content, max_bytes)
            members.members.clear()  # type: ignore[attr-defined]  # else it keeps all members that it has seen
            if found.keys() == wanted or count >= MOST_MEMBERS or members.offset > MOST_BYTES:
                break
    return found


def in_system_folder(name: str) -> bool:
    return any(map(is_system_file, PurePosixPath(name).parts))


def read_one(archive: Path, name: str, found: dict[str, bytes], content: IO[bytes], max_bytes: int) -> bytes:
    if name in found:
        raise CellarError(f"{archive} holds two files {name}; unpack it, and give the folder of one as path")
    data = content.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise CellarError(f"{archive}: {name} has more than {max_bytes:,} bytes; get the published archive")
    return data
