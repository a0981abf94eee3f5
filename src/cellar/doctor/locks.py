"""Locks that runs take on this folder, and whether their owners still live."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from cellar import files
from cellar.doctor.finding import Finding
from cellar.errors import CellarError
from cellar.pipeline.dvc import RWLOCK, half_written

SNAKEMAKE, OWNER = Path(".snakemake/locks"), Path(".snakemake/owner.json")  # as workflow/lib/owner.py leaves it
UNLOCK = "snakemake --unlock"


def examine() -> list[Finding]:
    found = [*snakemake(), *dvc()]
    return found or [Finding("ok", "locks", "none; no run is going on here")]


def snakemake() -> Iterator[Finding]:
    if not SNAKEMAKE.is_dir() or not any(SNAKEMAKE.iterdir()):
        return
    owner = read(OWNER)
    host, pid = owner.get("host"), owner.get("pid")
    if not isinstance(pid, int):
        yield Finding(
            "warn", "locks", f"{SNAKEMAKE} is held by a run that left no name", f"if none is going on: {UNLOCK}"
        )
    elif host != platform.node():
        yield Finding(
            "warn", "locks", f"{SNAKEMAKE} is held by process {pid} on {host}", f"if that has ended: {UNLOCK}"
        )
    elif lives(pid, "snakemake"):
        yield Finding("warn", "locks", f"Snakemake, process {pid}, is running here", "wait for it")
    else:
        yield Finding(
            "warn", "locks", f"left over from Snakemake, process {pid}, which is dead; the next run removes it", UNLOCK
        )


def dvc() -> Iterator[Finding]:
    """DVC notes who reads and writes which path, and forgets the dead by itself."""
    if half_written(RWLOCK):
        yield Finding("warn", "locks", f"{RWLOCK} was cut by a kill; the next snakemake removes it", f"rm {RWLOCK}")
        return
    for pid in sorted({pid for info in infos(read(RWLOCK)) if isinstance(pid := info.get("pid"), int)}):
        if lives(pid, ""):
            yield Finding("warn", "locks", f"DVC, process {pid}, is running a stage here", "wait for it")
        else:
            yield Finding(
                "warn",
                "locks",
                f"left over from DVC, process {pid}, which is dead; the next run removes it",
                f"rm {RWLOCK}",
            )


def infos(notes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of each path its one writer, and its readers."""
    for kind in ("write", "read"):
        paths = notes.get(kind)
        for found in paths.values() if isinstance(paths, dict) else []:
            yield from (info for info in (found if isinstance(found, list) else [found]) if isinstance(info, dict))


def read(path: Path) -> dict[str, Any]:
    try:
        found = files.read_json(path)
    except (CellarError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def lives(pid: int, name: str) -> bool:
    """Whether the process runs and has `name` in its command; numbers are given again."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and name in " ".join(process.cmdline())
    except psutil.Error:
        return False
    except ValueError:
        return False
