"""Names of splits, as people call their folders and files: train, val and valid, test."""

from collections.abc import Iterable
from pathlib import Path

from cellar.config.validation_errors import likely
from cellar.data.images import visible
from cellar.errors import CellarError

NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
SPLIT_OF_NAME = {name: split for split, names in NAMES.items() for name in names}


def is_split(folder: Path) -> bool:
    return folder.name.casefold() in SPLIT_OF_NAME and folder.is_dir()


def split_folders(path: Path) -> dict[str, Path]:
    """Split -> its folder in `path`. Raises CellarError for a folder of another name, and for two of one split."""
    return by_split(path, [entry for entry in visible(path) if entry.is_dir()])


def by_split(path: Path, folders: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        split = SPLIT_OF_NAME.get(folder.name.casefold())
        if split is None:
            raise CellarError(
                f"{folder} is no folder of a split{likely(folder.name, list(SPLIT_OF_NAME))}, "
                f"known: {', '.join(SPLIT_OF_NAME)}; rename it, or take it out of {path}"
            )
        other = found.setdefault(split, folder)
        if other != folder:
            raise CellarError(f"{path} has both {other.name}/ and {folder.name}/ for {split}; make them one")
    return found
