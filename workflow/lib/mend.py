"""What DVC leaves when a kill meets it in the middle of its writing; it writes neither its notes nor dvc.lock whole or not at all."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import yaml

from cellar import files
from cellar.pipeline.dvc import RWLOCK, half_written

HEADER = "schema: '2.0'\nstages:\n"
STAGE = re.compile(r"^  [^ \n]", re.MULTILINE)  # where one begins


def clear_half_written_notes() -> None:
    """DVC notes who reads and writes what. A kill in the middle of its writing leaves half of that, which no later DVC reads.

    It writes under a lock of its own; so with that lock held, what is half-written is so for good.
    """
    from dvc.lock import LockError, make_lock

    if not half_written(RWLOCK):
        return
    with suppress(LockError), make_lock(f"{RWLOCK}.lock", tmp_dir=str(RWLOCK.parent)):
        if half_written(RWLOCK):
            RWLOCK.unlink()


def cut_short(lock: Path) -> bool:
    """Whether a dvc.lock ends within a line, as DVC leaves none that it has written to the end."""
    return lock.exists() and not lock.read_bytes().endswith(b"\n")


def drop_cut_stage(lock: Path) -> bool:
    """Drop the stage that DVC was writing to a dvc.lock when it was killed, the last there; those after it are lost already.

    Hold DVC's lock of the project. DVC brings a stage that it has forgotten back from its cache. What a kill does not do,
    say a merge that was left halfway, is left alone, as is what DVC can read: then nothing is changed, and the answer is False.
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
