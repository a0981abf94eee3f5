"""What DVC adds to a stage, and what planning takes, in checkouts in which everything is built: each in turn, medians.

    python benchmarks/overhead.py CHECKOUT …        (each with its own .venv; this one if none is named)

DVC's share of a stage is the time of the command that Snakemake runs, forced, less that of the stage's command within it. A
stage is found by an output, since checkouts of different commits name stages differently. Runs again only what is
built, so files stay the same, but for records and times. Writes results/bench/overhead.json.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from keeping import keep

from cellar.provenance.lineage import Loader

ROUNDS = 3
STAGES = {  # an output, as a regular expression
    "evaluation of E1": r"results/metrics/students/(\w+/)?fer2013-E1/seed-0\.json",
    "evaluation of FER2013's teacher": r"results/metrics/teachers/fer2013/seed-0\.json",
    "Table VI": r"results/tables/table_vi\.json",
    "evaluation of a student of Pins": r"results/metrics/students/(\w+/)?pins-bce_convnet9/seed-0\.json",
    "Table 1 of the small-dataset study": r"results/tables/pins_table_1\.json",
}
PLANNING = ("dvc status", "snakemake --dry-run results/tables/table_vi.md", "snakemake --dry-run")
TIMED = '#!/bin/sh\nbegin=$(date +%s.%N)\n"$CELLAR_PYTHON" "$@"\ncode=$?\necho "$begin $(date +%s.%N)" > "$CELLAR_TIMES"\nexit $code\n'


def address_of(checkout: Path, output: str) -> str:
    """What `dvc repro` calls the stage that has this output in a lock."""
    for lock in sorted(locks(checkout)):
        for name, stage in yaml.load(lock.read_text(encoding="utf-8"), Loader=Loader)["stages"].items():
            if any(re.fullmatch(output, out["path"]) for out in stage.get("outs", ())):
                file = lock.with_suffix(".yaml").relative_to(checkout)
                return f"{file}:{name}"
    raise SystemExit(f"{checkout}: no stage has made {output}; build everything first: snakemake --cores 2")


def locks(checkout: Path) -> Iterator[Path]:
    yield from (path for path in (checkout / "dvc.lock", checkout / "results/dvc.lock") if path.exists())
    yield from (checkout / "studies").rglob("dvc.lock")


def share_of_dvc(checkout: Path, address: str, scratch: Path) -> float:
    """Seconds of the command that Snakemake's rules run, without those of the stage's own command."""
    times, binaries = scratch / "times", checkout / ".venv/bin"
    (scratch / "python").write_text(TIMED)
    (scratch / "python").chmod(0o755)
    environment = {"PATH": f"{scratch}:{binaries}:{os.environ['PATH']}", "CELLAR_PYTHON": str(binaries / "python")}
    command = f"dvc --wait-for-lock repro --quiet --single-item --force {address}"
    if (checkout / "src/cellar/pipeline/repro.py").exists():
        command = f"python -m cellar.pipeline.repro {address}"
    whole = seconds(checkout, command, **environment, CELLAR_TIMES=str(times), CELLAR_FORCED=address)
    begin, end = map(float, times.read_text().split())
    return whole - (end - begin)


def seconds(checkout: Path, command: str, **environment: str) -> float:
    program, *arguments = command.split()
    binaries = checkout / ".venv/bin"
    path = environment.pop("PATH", f"{binaries}:{os.environ['PATH']}")
    start = time.perf_counter()
    done = subprocess.run(
        [str(binaries / program), *arguments], cwd=checkout, check=False, capture_output=True, text=True,
        env=os.environ | environment | {"PATH": path},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{checkout}: {command} ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")
    return time.perf_counter() - start


def row(what: str, measured: list[list[float]]) -> dict[str, Any]:
    """`measured`: of each round the seconds of each checkout."""
    medians = [median(values) for values in zip(*measured, strict=True)]
    found = {"what": what, "seconds": " → ".join(f"{value:.2f}" for value in medians)}
    return found | {"ratio": round(medians[-1] / medians[0], 2)}


def commit_of(checkout: Path) -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=checkout, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def main(checkouts: list[Path]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for what, output in STAGES.items():
            addresses = {checkout: address_of(checkout, output) for checkout in checkouts}
            rounds = [[share_of_dvc(*one, Path(scratch)) for one in addresses.items()] for _ in range(ROUNDS)]
            rows.append(row(f"DVC's share: {what}", rounds))
            print(rows[-1], flush=True)
    for command in PLANNING:
        rows.append(row(command, [[seconds(checkout, command) for checkout in checkouts] for _ in range(ROUNDS)]))
        print(rows[-1], flush=True)
    commits = [commit_of(checkout) for checkout in checkouts]
    unit = f"seconds, medians of {ROUNDS} rounds, checkouts in turn; ratio: the last to the first"
    keep("overhead", {"unit": unit, "commits": commits, "rows": rows})


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or [Path.cwd()])
