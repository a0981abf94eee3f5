"""Who runs Snakemake in this folder, so that the lock of a killed run does not stop the next one.

Snakemake's lock names no owner. A run therefore leaves its host and process number beside it; a lock whose owner
was on this host and is gone is removed, any other is left to Snakemake to report.
"""

import json
import os
import platform
import shutil
import sys
from pathlib import Path

import psutil

FOLDER = Path(".snakemake")
LOCKS, OWNER = FOLDER / "locks", FOLDER / "owner.json"
NO_RUN = {
    "-n",
    "--dry-run",
    "--dryrun",
    "--lint",
    "--dag",
    "--rulegraph",
    "--report",
    "--unlock",
    "--summary",
    "--list",
    "-l",
}


def clear_dead_lock() -> None:
    """To be called when the Snakefile is parsed, before Snakemake takes its lock."""
    if NO_RUN & set(sys.argv):
        return
    if LOCKS.exists() and any(LOCKS.iterdir()):
        if not owner_is_dead():
            return
        print("cellar: the run that locked this folder was killed; its lock is removed", file=sys.stderr)
        shutil.rmtree(LOCKS)
    FOLDER.mkdir(exist_ok=True)
    OWNER.write_text(json.dumps({"host": platform.node(), "pid": os.getpid()}))


def owner_is_dead() -> bool:
    try:
        owner = json.loads(OWNER.read_text())
        return owner["host"] == platform.node() and not alive(int(owner["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def alive(pid: int) -> bool:
    """Whether the process runs and is a Snakemake; numbers are given again."""
    try:
        process = psutil.Process(pid)
        return (
            pid != os.getpid()
            and process.status() != psutil.STATUS_ZOMBIE
            and "snakemake" in " ".join(process.cmdline())
        )
    except psutil.Error:
        return False
