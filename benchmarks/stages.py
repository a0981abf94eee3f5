"""Where the time of a stage goes beside its computation, kind by kind, in checkouts with a build: each in turn, medians.

    python benchmarks/stages.py CHECKOUT …        (each with its own .venv; this one if none is named)

CPU seconds, user and system, so that work beside it counts little. Of each kind the stage with the smallest files is run again,
so files stay the same, but for records and times. Trainings run once: minutes. Writes results/bench/stages.json.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from keeping import keep
from overhead import commit_of, locks

from cellar.provenance.lineage import Loader

ROUNDS = 3
PARTS = ("start and end", "imports", "reading", "hashing", "writing", "record", "DVC", "other", "computation")
LONG = ("train_", "distill_", "measure_")
DRIVER = Path(__file__).with_name("timed_stage.py")
TIMED = (
    '#!/bin/sh\n"$CELLAR_PYTHON" "$@"\ncode=$?\ntimes > "$CELLAR_TIMES"\nexit $code\n'  # the second line: of children
)


def smallest(checkout: Path) -> dict[str, tuple[str, list[str]]]:
    """Kind -> address and command's words of the built stage that has the smallest inputs and outputs."""
    found: dict[str, tuple[int, str, list[str]]] = {}
    for lock in locks(checkout):
        file = lock.with_suffix(".yaml").relative_to(checkout)
        for name, stage in yaml.load(lock.read_text(encoding="utf-8"), Loader=Loader)["stages"].items():
            named = [*stage.get("deps", ()), *stage.get("outs", ())]
            if all((checkout / one["path"]).exists() for one in named):
                words = stage["cmd"].split()[3:]
                one = (sum(one.get("size", 0) for one in named), f"{file}:{name}", words)
                found[words[0]] = min(one, found.get(words[0], one))
    return {kind: (address, words) for kind, (_, address, words) in found.items()}


def parts_of(checkout: Path, address: str, words: list[str], scratch: Path) -> dict[str, float]:
    """CPU seconds of each part of a stage."""
    times, python = scratch / "times", checkout / ".venv/bin/python"
    whole = cpu_of([str(python), str(DRIVER), str(times), *words], checkout)
    parts = json.loads(times.read_text())
    (scratch / "python").write_text(TIMED)
    (scratch / "python").chmod(0o755)
    forced = {"CELLAR_PYTHON": str(python), "CELLAR_TIMES": str(times), "CELLAR_FORCED": address}
    path = {"PATH": f"{scratch}:{python.parent}:{os.environ['PATH']}"}
    with_dvc = cpu_of([str(python), "-m", "cellar.pipeline.repro", address], checkout, **forced, **path)
    return parts | {"start and end": whole - sum(parts.values()), "DVC": with_dvc - seconds(times.read_text())}


def cpu_of(command: list[str], folder: Path, **environment: str) -> float:
    """CPU seconds of a command and of all that it waits for."""

    def used() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime

    before = used()
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env=os.environ | environment
    )
    if done.returncode:
        raise SystemExit(f"{folder}: {' '.join(command)} ended with {done.returncode}: {done.stderr[-1000:]}")
    return used() - before


def seconds(times: str) -> float:
    """Of the shell's children, as its builtin `times` prints them: 0m1.5s 0m0.1s."""
    found = re.findall(r"(\d+)m([\d.]+)s", times.splitlines()[1])
    return sum(60 * int(minutes) + float(rest) for minutes, rest in found)


def rows_of(kind: str, stages: dict[Path, tuple[str, list[str]]], scratch: Path) -> Iterator[dict[str, Any]]:
    """A row per checkout."""
    rounds = 1 if kind.startswith(LONG) else ROUNDS
    measured = [[parts_of(checkout, *stage, scratch) for checkout, stage in stages.items()] for _ in range(rounds)]
    for checkout, found in zip(stages, zip(*measured, strict=True), strict=True):
        medians = {part: round(median(one.get(part, 0) for one in found), 2) for part in PARTS}
        outside = round(sum(medians.values()) - medians["computation"], 2)
        yield {"kind": kind, "commit": commit_of(checkout), "outside": outside, **medians}


def main(checkouts: list[Path]) -> None:
    found = {checkout: smallest(checkout) for checkout in checkouts}
    kinds = [kind for kind in found[checkouts[0]] if all(kind in stages for stages in found.values())]
    unit = f"CPU seconds, medians of {ROUNDS} rounds, checkouts in turn, trainings and timings once; outside: without computation"
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for kind in sorted(kinds, key=lambda kind: kind.startswith(LONG)):
            rows += rows_of(kind, {checkout: stages[kind] for checkout, stages in found.items()}, Path(scratch))
            print(*rows[-len(checkouts) :], sep="\n", flush=True)
            keep("stages", {"unit": unit, "commits": [commit_of(checkout) for checkout in checkouts], "rows": rows})


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or [Path.cwd()])
