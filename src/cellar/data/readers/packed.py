"""Files of an archive that was left packed, read where they are: by exact name, up to a size, nothing unpacked."""

import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from cellar.data.foreign import beginning, is_system_file, kind_of
from cellar.data.unpack import open_tar
from cellar.errors import CellarError, reason

MOST_MEMBERS = 1000  # looked at, and of MOST_BYTES together: an archive of images is not searched to its end
MOST_BYTES = 4 * 2**30


def is_packed(path: Path) -> bool:
    """Whether it begins as an archive does, whatever its name."""
    found = kind_of(beginning(path))
    return found is not None and "archive" in found[0]


def check_is_archive(archive: Path) -> None:
    """Raises CellarError for an empty file, or what web sites give in place of an archive."""
    found = kind_of(beginning(archive))
    if found and "archive" not in found[0]:
        raise CellarError(f"{archive} is {found[0]}; {found[1]}")


def zip_holds(path: Path, names: Collection[str]) -> bool:
    """Whether `path` is a zip with a file of one of `names`: its list of contents is looked at, nothing is read."""
    try:
        with zipfile.ZipFile(path) as members:
            return any(name_in(member, names) for member in members.namelist())
    except Exception:  # a broken archive can raise nearly anything
        return False


def name_in(member: str, names: Collection[str]) -> str | None:
    """The file's own name, whatever folders are around it, if it is one of `names`."""
    parts = PurePosixPath(member).parts
    return parts[-1] if parts and parts[-1] in names and not any(map(is_system_file, parts)) else None


Members = Callable[[Collection[str]], Iterator[tuple[str, IO[bytes]]]]


@contextmanager
def opened(archive: Path, names: Collection[str]) -> Iterator[IO[bytes] | None]:
    """The first file of one of `names` in a zip or tar, to be read from its start; None when there is none."""
    with reading(archive) as members:
        files = members(names)  # kept: it closes what it has opened
        _, content = next(files, (None, None))
        yield content


def read_members(archive: Path, names: Collection[str], max_bytes: int) -> dict[str, bytes]:
    """Name -> content of the files `names` in a zip or tar; names that are not in it are left out.

    Raises CellarError when the archive is broken, one of them has more than `max_bytes`, or two have one name.
    """
    found: dict[str, bytes] = {}
    with reading(archive) as members:
        for name, content in members(names):
            if name in found:
                raise CellarError(f"{archive} holds two files {name}; unpack it, and give the folder of one as path")
            found[name] = content.read(max_bytes + 1)
            if len(found[name]) > max_bytes:
                raise CellarError(f"{archive}: {name} has more than {max_bytes:,} bytes; get the published archive")
            if len(found) == len(names):
                break
    return found


@contextmanager
def reading(archive: Path) -> Iterator[Members]:
    """Raises CellarError for whatever is no whole archive, also while it is read."""
    check_is_archive(archive)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened_zip:
                yield lambda names: files_of_zip(opened_zip, names)
        else:
            with open_tar(archive) as opened_tar:
                yield lambda names: files_of_tar(opened_tar, names)
    except CellarError:
        raise
    except Exception as error:  # a broken archive can raise nearly anything
        raise CellarError(f"{archive} cannot be read ({reason(error)}); get it again") from None


def files_of_zip(archive: zipfile.ZipFile, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive.infolist():
        name = name_in(member.filename, names)
        if name and not member.is_dir():
            with archive.open(member) as content:
                yield name, content


def files_of_tar(archive: tarfile.TarFile, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    for count, member in enumerate(archive):
        name = name_in(member.name, names)
        if name and member.isreg():
            content = archive.extractfile(member)
            assert content is not None  # of a regular file
            with content:
                yield name, content
        archive.members.clear()  # type: ignore[attr-defined]  # else it keeps all members that it has seen
        if count >= MOST_MEMBERS or archive.offset > MOST_BYTES:
            return
