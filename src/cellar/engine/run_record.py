"""The record beside every artefact: which command made it, from which bytes, with what, where and when.

Hosts, dates and durations stand only here. A record is an output of its stage and no stage's input.
"""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from cellar import files

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "scikit-learn",
    "pillow",
    "matplotlib",
    "safetensors",
    "dvc",
    "snakemake",
)

STAMP = ".snakemake_timestamp"


@contextmanager
def record(
    path: Path, inputs: Sequence[Path], outputs: Sequence[Path], params: dict[str, Any], **run: Any
) -> Iterator[dict[str, Any]]:
    """Write `path` (a run.json) when the block ends well. The block may add to the yielded dictionary.

    inputs and outputs are files or folders; `run` adds keys such as seed, device, threads.
    """
    started = datetime.now(UTC)
    facts: dict[str, Any] = dict(run)
    yield facts
    finished = datetime.now(UTC)
    files.write_json(
        path,
        {
            "stage": os.environ.get("DVC_STAGE", ""),
            "command": "python -m cellar " + " ".join(sys.argv[1:]),
            "params": params,
            "inputs": {str(p): content_hash(p) for p in inputs},
            "outputs": {str(p): content_hash(p) for p in outputs},
            "code": code_hash(),
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--", "src")),
            "versions": {p: metadata.version(p) for p in PACKAGES},
            "python": platform.python_version(),
            "machine": machine(),
            **facts,
            "started": started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": round((finished - started).total_seconds(), 2),
            "peak_memory_gb": peak_memory_gb(),
        },
    )


@cache
def content_hash(path: Path) -> str:
    """sha256 of a file, or of a folder's sorted (relative path, sha256) lines, without Snakemake's own stamp."""
    if path.is_file():
        return files.hash_file(path)
    lines = [
        f"{p.relative_to(path)} {files.hash_file(p)}"
        for p in sorted(path.rglob("*"))
        if p.is_file() and p.name != STAMP
    ]
    return sha256("\n".join(lines).encode()).hexdigest()


def code_hash() -> str:
    """sha256 over all Python files of the package."""
    root = Path(__file__).parent.parent
    lines = [f"{p.relative_to(root)} {files.hash_file(p)}" for p in sorted(root.rglob("*.py"))]
    return sha256("\n".join(lines).encode()).hexdigest()


def git(*arguments: str) -> str:
    """What git says, or "" outside a repository."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
    }


def peak_memory_gb() -> float:
    """The most memory this process has held, in GB; the system counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)
