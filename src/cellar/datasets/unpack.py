"""Archives from the web, unpacked so that nothing lands outside the folder meant for it."""

import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from cellar.errors import CellarError

MAX_BYTES = 50 * 2**30  # what an archive may grow to; the largest set named here is under 1 GiB
MAX_MEMBERS = 2_000_000


class Budget:
    """Counts what an archive unpacks to, and refuses it when that is beyond reason."""

    def __init__(self, archive: Path, max_bytes: int, max_members: int = MAX_MEMBERS) -> None:
        self.archive, self.bytes_left, self.members_left = archive, max_bytes, max_members

    def take(self, name: str, size: int) -> None:
        self.bytes_left -= size
        self.members_left -= 1
        if min(self.bytes_left, self.members_left) < 0:
            raise CellarError(f"{self.archive.name} unpacks to far more than a data set, at {name!r}; not unpacked")
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise CellarError(f"{self.archive.name} holds {name!r}, which points outside its folder; not unpacked")


def is_archive(path: Path) -> bool:
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """Unpack a zip or tar (plain, gz, bz2, xz) into `folder`, which is there already.

    A single top folder is left out: its contents land in `folder` itself. Raises CellarError for a broken
    archive, a path or a link that leads outside, anything but files and folders, or far too many bytes.
    """
    inner = folder / ".unpacked"
    inner.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            unpack_zip(archive, inner, Budget(archive, max_bytes))
        else:
            unpack_tar(archive, inner, Budget(archive, max_bytes))
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise CellarError(f"{archive.name} cannot be unpacked ({error}); get it again, or unpack it by hand") from None
    lift(inner, folder)


def unpack_zip(archive: Path, folder: Path, budget: Budget) -> None:
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            budget.take(member.filename, member.file_size)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise CellarError(f"{archive.name} holds a link, {member.filename!r}; not unpacked")
        members.extractall(folder)


def unpack_tar(archive: Path, folder: Path, budget: Budget) -> None:
    with tarfile.open(archive) as members:
        for member in members:
            budget.take(member.name, member.size)
            members.extract(member, folder, filter="data")


def lift(inner: Path, folder: Path) -> None:
    """Move what is in `inner`, or in the one folder it holds, up into `folder`."""
    entries = [entry for entry in inner.iterdir() if entry.name != "__MACOSX"]
    top = entries[0] if len(entries) == 1 and entries[0].is_dir() else inner
    for entry in sorted(top.iterdir()):
        if entry.name != "__MACOSX":
            entry.rename(folder / entry.name)
    shutil.rmtree(inner)
