"""The md5 of files and folders as DVC computes them; of a folder it ends in .dir."""

import hashlib
import json
import os
from pathlib import Path

from cellar import files
from cellar.data.foreign import is_system_file

UNHASHED = {".snakemake_timestamp", "__pycache__"}  # as in .dvcignore: marks and caches in a folder of files


def md5(path: Path) -> str:
    return files.hash_file(path, "md5") if path.is_file() else of_folder(path)


def of_folder(folder: Path) -> str:
    """The md5 of the JSON list of its files, without those of .dvcignore (which DVC asks within the project only)."""
    ignores = Path(os.path.abspath(folder)).is_relative_to(Path.cwd())  # noqa: PTH100  # a link is here, wherever it leads
    inside = [path for path in folder.rglob("*") if path.is_file() and not (ignores and is_ignored(path, folder))]
    listed = [{"md5": files.hash_file(path, "md5"), "relpath": path.relative_to(folder).as_posix()} for path in inside]
    listed.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def is_ignored(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return bool(UNHASHED.intersection(parts)) or any(map(is_system_file, parts))
