"""Who runs Snakemake in this folder, so that the lock of a killed run does not stop the next one.

Snakemake's lock names no owner. Every Snakemake here therefore shares a lock of the system's, which goes with its process
however that ends, and leaves its host and process number. If this process is alone here, a lock of Snakemake's that is left
of a run on this host is of a killed one, and is removed; any other is left to Snakemake to report.
"""

import fcntl
import json
import os
import platform
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from cellar.pipeline.running import HERE

FOLDER = Path(".snakemake")
LOCKS, OWNER = FOLDER / "locks", FOLDER / "owner.json"


def clear_dead_lock() -> None:
    """To be called when the Snakefile is parsed, before Snakemake takes its lock."""
    FOLDER.mkdir(exist_ok=True)
    here = os.open(HERE, os.O_CREAT | os.O_RDWR, 0o666)  # held until this process ends
    if is_alone(here) and is_locked() and was_on_this_host():
        print("cellar: the run that locked this folder was killed; its lock is removed", file=sys.stderr)
        shutil.rmtree(LOCKS)
    if not is_locked():
        OWNER.write_text(json.dumps({"host": platform.node(), "pid": os.getpid()}))
    with suppress(OSError):
        fcntl.flock(here, fcntl.LOCK_SH)


def is_alone(here: int) -> bool:
    """False also where the file system has no such locks: nothing is known there."""
    try:
        fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_locked() -> bool:
    return LOCKS.exists() and any(LOCKS.iterdir())


def was_on_this_host() -> bool:
    try:
        return bool(json.loads(OWNER.read_text())["host"] == platform.node())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
