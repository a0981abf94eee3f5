"""What the embedded default takes: a fresh clone of this commit, nothing cached, one make target after the other; then
what planning, and asking for a cell, takes when all is built. About 45 minutes of 2 cores, so `make bench` leaves it out.

    python benchmarks/default.py [FOLDER]        (the clone; it is kept when it is named)

Memory is that of all processes of the target, at most, sampled; pages that they share are counted once. Writes
results/bench/default.json.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from keeping import keep

TARGETS = ("table_vi", "pins", "all")
ROUNDS = 3
TABLE_VI = "studies/mini_resemotenet/results/dvc.yaml:tabulate-table_vi"
PLANNING = {
    "snakemake, Table VI": "snakemake --dry-run results/tables/table_vi.md",
    "snakemake, everything": "snakemake --dry-run",
    "dvc status, Table VI": f"dvc status --with-deps {TABLE_VI}",
    "dvc status, everything": "dvc status",
    "cellar explain, one cell": "python -m cellar explain table_vi E1 fer2013_accuracy",
    "cellar doctor": "python -m cellar doctor",
}


def environment(clone: Path) -> dict[str, str]:
    """This interpreter's tools on the clone's own code."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(clone / "src")}


def build(clone: Path, target: str) -> dict[str, Any]:
    """One make target, without its setup: wall time and memory."""
    command = ["make", "--old-file=.venv/ready", target]
    most, start = 0, time.perf_counter()
    with (clone / "build.log").open("a") as log:
        running = psutil.Popen(command, cwd=clone, env=environment(clone), stdout=log, stderr=log)
        while running.poll() is None:
            most = max(most, memory(running))
            time.sleep(0.5)
    if running.returncode:
        sys.exit(f"make {target} ended with {running.returncode}: {clone / 'build.log'}")
    return {
        "target": f"make {target}",
        "seconds": round(time.perf_counter() - start),
        "memory_gb": round(most / 1e9, 2),
    }


def memory(top: psutil.Process) -> int:
    """Bytes of a process and all below it, each page divided by how many share it."""
    total = 0
    for process in [top, *children(top)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it has ended meanwhile
            continue
    return total


def children(top: psutil.Process) -> list[psutil.Process]:
    try:
        return top.children(recursive=True)
    except psutil.Error:
        return []


def planning(clone: Path, command: str) -> float:
    """Median seconds of a command that finds nothing to do."""

    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run(command.split(), cwd=clone, env=environment(clone), check=True, capture_output=True)
        return time.perf_counter() - start

    return round(median(seconds() for _ in range(ROUNDS)), 2)


def main(folder: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", ".", str(folder)], check=True)
    stages = [build(folder, target) for target in TARGETS]
    plans = [{"plan": what, "seconds": planning(folder, command)} for what, command in PLANNING.items()]
    keep("default", {"unit": "wall time; memory of all processes at most", "targets": stages, "planning": plans})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch) / "clone")
