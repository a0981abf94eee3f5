"""Whether Snakemake runs in this folder, which holds a lock of the system's while it does (workflow/lib/owner.py)."""

import fcntl
from pathlib import Path

from cellar.errors import CellarError

HERE = Path(".snakemake/here.lock")


def check_none() -> None:
    """Raises CellarError while a Snakemake runs here: it would lose the stages that it has planned."""
    try:
        with HERE.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CellarError("snakemake is running here; wait for it, or use another clone") from None
    except OSError:  # none ran here yet, or the file system has no such locks
        return
