"""Links to folders. A stage may read through one; DVC refuses to keep an output that lies behind one, after it was made."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cellar.errors import CellarError

REMEDY = (
    "put the folder back, then either keep DVC's cache there (dvc cache dir FOLDER, dvc config cache.type symlink), "
    "or mount the disk here (mount --bind)"
)


def check_outputs(paths: Iterable[str]) -> None:
    """Raises CellarError, with the link and what to do, if one of `paths` lies behind a link."""
    for path in paths:
        for link in behind(path):
            raise CellarError(f"{link} is a link to {target(link)}, and DVC keeps no outputs there; {remedy(link)}")


def remedy(link: str) -> str:
    """Real data is only read: it may lie anywhere."""
    of_raw_data = "; of raw data, link only what is read, such as data/raw/NAME" if link in ("data", "data/raw") else ""
    return REMEDY + of_raw_data


def behind(path: str) -> Iterator[str]:
    """The links to folders on the way to `path`, and `path` if it is one."""
    parts = Path(path).parts
    yield from (link for length in range(1, len(parts) + 1) if is_link(link := str(Path(*parts[:length]))))


def is_link(path: str) -> bool:
    """To a file does not matter: DVC makes such ones itself, where cache.type is symlink."""
    return Path(path).is_symlink() and not Path(path).is_file()


def target(link: str) -> Path:
    return Path(link).resolve()
