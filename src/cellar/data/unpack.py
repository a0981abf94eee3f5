"""Archives from the web, unpacked so that nothing lands outside the folder meant for it."""

import errno
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from cellar.errors import CellarError, printable, reason

MAX_BYTES = 50 * 2**30  # what an archive may grow to; the largest set named here is under 1 GiB
MAX_MEMBERS = 2_000_000
MAX_HEADER = 1 << 20  # of a tar's long names and attributes, which tarfile takes into memory whole
HEADERS = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}  # not the archive's fault


class Budget:
    """Counts what an archive unpacks to, and refuses it when that is beyond reason."""

    def __init__(self, archive: Path, max_bytes: int, max_members: int = MAX_MEMBERS) -> None:
        self.archive, self.bytes_left, self.members_left = archive, max_bytes, max_members

    def take(self, name: str, size: int) -> None:
        self.bytes_left -= size
        self.members_left -= 1
        if min(self.bytes_left, self.members_left) < 0:
            raise CellarError(
                f"{self.archive.name} unpacks to far more than a data set, at {shown(name)}; not unpacked"
            )
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise CellarError(f"{self.archive.name} holds {shown(name)}, which points outside its folder; not unpacked")


def shown(name: str) -> str:
    return repr(printable(name))


class Member(tarfile.TarInfo):
    """A tar's member whose headers have a size that names and attributes can have."""

    def _proc_member(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in HEADERS and self.size > MAX_HEADER:
            raise tarfile.ReadError("a header of it is far too long")
        member: tarfile.TarInfo = super()._proc_member(tarfile_)  # type: ignore[misc]  # meant to be overridden, says its source
        return member


def open_tar(path: Path) -> tarfile.TarFile:
    return tarfile.open(path, tarinfo=Member)


def is_archive(path: Path) -> bool:
    return zipfile.is_zipfile(path) or is_tar(path)


def is_tar(path: Path) -> bool:
    try:
        open_tar(path).close()
    except OSError as error:
        if error.errno is not None:
            raise
        return False  # a checksum that is wrong
    except Exception:  # a broken archive can raise nearly anything
        return False
    return True


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_BYTES) -> None:
    """Unpack a zip or tar (plain, gz, bz2, xz) into `folder`, which is there already.

    A single top folder is left out: its contents land in `folder` itself. Raises CellarError for a broken
    archive, a path that leads outside, a link, anything but files and folders, or far too many bytes; and when
    the disk is full.
    """
    inner = folder / ".unpacked"
    inner.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            unpack_zip(archive, inner, Budget(archive, max_bytes))
        else:
            unpack_tar(archive, inner, Budget(archive, max_bytes))
        lift(inner, folder)
    except CellarError:
        raise
    except Exception as error:  # a broken archive can raise nearly anything
        if isinstance(error, OSError) and error.errno in DISK:
            raise CellarError(f"cannot write {folder}: {error.strerror}; free space or mend the folder") from None
        raise CellarError(broken(archive, error)) from None


def broken(archive: Path, error: Exception) -> str:
    why = reason(error)
    return f"{archive.name} cannot be unpacked ({why}); get it again, or unpack it by hand"


def unpack_zip(archive: Path, folder: Path, budget: Budget) -> None:
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            budget.take(member.filename, member.file_size)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise CellarError(f"{archive.name} holds a link, {shown(member.filename)}; not unpacked")
        members.extractall(folder)


def unpack_tar(archive: Path, folder: Path, budget: Budget) -> None:
    with open_tar(archive) as members:
        for member in members:
            budget.take(member.name, member.size)
            if not (member.isreg() or member.isdir()):
                raise CellarError(f"{archive.name} holds a link or device, {shown(member.name)}; not unpacked")
            write_member(members, member, folder / member.name)
            members.members.clear()  # type: ignore[attr-defined]  # else it keeps all members that it has seen


def write_member(members: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    """Its bytes alone: no owner, mode or time of the archive's. (Python 3.11.2's tarfile has no filter that would see to it.)"""
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    content = members.extractfile(member)
    assert content is not None  # of a regular file
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)


def lift(inner: Path, folder: Path) -> None:
    """Move what is in `inner`, or in the one folder it holds, up into `folder`."""
    entries = [entry for entry in inner.iterdir() if entry.name != "__MACOSX"]
    top = entries[0] if len(entries) == 1 and entries[0].is_dir() else inner
    for entry in sorted(top.iterdir()):
        if entry.name != "__MACOSX":
            entry.rename(folder / entry.name)
    shutil.rmtree(inner)
