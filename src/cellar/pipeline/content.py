"""The md5 of files and folders as DVC computes them; of a folder it ends in .dir."""

import hashlib
import json
import os
from fnmatch import fnmatchcase
from pathlib import Path

from cellar import files

DVCIGNORE = Path(".dvcignore")


def md5(path: Path) -> str:
    return files.hash_file(path, "md5") if path.is_file() else of_folder(path)


def of_folder(folder: Path) -> str:
    """The md5 of the JSON list of its files, without those of .dvcignore (which DVC asks within the project only)."""
    within = Path(os.path.abspath(folder)).is_relative_to(Path.cwd())  # noqa: PTH100  # a link is here, wherever it leads
    ignored = ignored_names() if within else []
    inside = [
        path for path in folder.rglob("*") if path.is_file() and not is_ignored(path.relative_to(folder), ignored)
    ]
    listed = [{"md5": files.hash_file(path, "md5"), "relpath": path.relative_to(folder).as_posix()} for path in inside]
    listed.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def ignored_names() -> list[str]:
    """The lines of .dvcignore: each is a pattern of the name of a file or folder."""
    lines = DVCIGNORE.read_text(encoding="utf-8").splitlines() if DVCIGNORE.exists() else []
    return [line for line in lines if line and not line.startswith("#")]


def is_ignored(path: Path, patterns: list[str]) -> bool:
    return any(fnmatchcase(part, pattern) for part in path.parts for pattern in patterns)
