"""Facts about this run that its record keeps: hashes of content and code, commit, machine, memory."""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cellar import files, paths

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
STUDIES = Path("studies")


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


def file_hashes(listed: Iterable[str | Path]) -> dict[str, str]:
    """Path -> sha256 of Python files, and of those in folders."""
    sources = [paths.source_file(path) for path in listed]
    python = [file for path in sources for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return {str(paths.in_project(file)): content_hash(file) for file in python}


def code_hash() -> str:
    """sha256 over all Python files of the package and of the studies here."""
    package = Path(__file__).parents[1]
    listed = [(f"src/cellar/{path.relative_to(package)}", path) for path in sorted(package.rglob("*.py"))]
    listed += [(str(path), path) for path in sorted(STUDIES.rglob("*.py"))]
    return sha256("\n".join(f"{name} {files.hash_file(path)}" for name, path in listed).encode()).hexdigest()


def git(*arguments: str) -> str:
    """What git says, or "" outside a repository."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def processor() -> str:
    """Name, family and model, as Linux has them: virtual machines give many models one name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    if "model name" not in known:
        return platform.processor()
    return f"{known['model name']}, family {known.get('cpu family')}, model {known.get('model')}"


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
