"""Repair of files that DVC was writing when it was killed: it writes neither dvc.lock nor its own notes atomically."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import yaml

from cellar import files
from cellar.pipeline.dvc import RWLOCK, half_written

HEADER = "schema: '2.0'\nstages:\n"
STAGE = re.compile(r"^  [^ \n]", re.MULTILINE)  # the first line of an entry


def clear_half_written_notes() -> None:
    """Remove DVC's file of readers and writers where a kill has left half of it, which no later DVC can read.

    DVC writes it under a lock of its own. While this function holds that lock, nobody is still writing.
    """
    from dvc.lock import LockError, make_lock

    if not half_written(RWLOCK):
        return
    with suppress(LockError), make_lock(f"{RWLOCK}.lock", tmp_dir=str(RWLOCK.parent)):
        if half_written(RWLOCK):
            RWLOCK.unlink()


def cut_short(lock: Path) -> bool:
    """Whether a dvc.lock ends within a line: DVC ends every complete one with a newline."""
    return lock.exists() and not lock.read_bytes().endswith(b"\n")


def drop_cut_stage(lock: Path) -> bool:
    """Drop the last entry of a dvc.lock, which DVC was writing when it was killed; the entries after it are already lost.

    The caller holds DVC's lock of the project. DVC restores a dropped stage from its run cache. Returns False, and changes
    nothing, where DVC can read the file or where the damage is not that of a kill, such as an unfinished merge.
    """
    text = lock.read_bytes().decode("utf-8", errors="ignore")
    if not (text.startswith(HEADER) or HEADER.startswith(text)) or (text.endswith("\n") and valid(text)):
        return False
    begins = [found.start() for found in STAGE.finditer(text)]
    whole, cut = (text[: begins[-1]], text[begins[-1] :]) if begins else ("", "")
    if not all(line.startswith(" ") for line in cut.splitlines() if line):
        return False
    if len(begins) < 2:
        lock.unlink()
    elif valid(whole):
        files.write_text(lock, whole)
    else:
        return False
    kept = (
        f"{max(len(begins) - 1, 0)} of its stages are whole; what is cut DVC brings back from its cache, or runs again"
    )
    print(f"cellar: {lock} was cut short, as by a kill: {kept}", file=sys.stderr)
    return True


def valid(text: str) -> bool:
    from dvc.exceptions import DvcException
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.strictyaml import validate

    try:
        validate(yaml.safe_load(text), COMPILED_LOCKFILE_SCHEMA)
    except (yaml.YAMLError, DvcException):
        return False
    return True
