"""The md5 of files and folders as DVC computes them; of a folder it ends in .dir."""

import hashlib
import json
from pathlib import Path

from cellar import files

UNHASHED = {".snakemake_timestamp", "__pycache__"}  # as in .dvcignore: marks and caches in a folder of files


def md5(path: Path) -> str:
    return files.hash_file(path, "md5") if path.is_file() else of_folder(path)


def of_folder(folder: Path) -> str:
    """The md5 of the JSON list of its files."""
    inside = [
        path for path in folder.rglob("*") if path.is_file() and not UNHASHED & set(path.relative_to(folder).parts)
    ]
    listed = [{"md5": files.hash_file(path, "md5"), "relpath": path.relative_to(folder).as_posix()} for path in inside]
    listed.sort(key=lambda entry: entry["relpath"])
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
