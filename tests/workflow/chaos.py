"""`make chaos`: a build is killed at random moments, again and again, then finished. Are its bytes those of a build left alone?

    python -m tests.workflow.chaos --kills 20 --seconds 900 --seed 0 [--keep FOLDER]

Every kill is -9 and meets one of: a training (or another stage's own process), DVC, Snakemake, or all of them at once.
The next run starts at once, beside whatever the kill has left running.
"""

import argparse
import contextlib
import random
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import yaml

from tests.processes import kill_all
from tests.workflow.conftest import ROOT, Project, clone, tiny

VICTIMS = ("stage", "dvc", "snakemake", "group")


def torment(project: Project, target: list[str], kills: int, seconds: float, chance: random.Random) -> Counter[str]:
    """Build `target`, killing until there were `kills` or it is built; count who was killed. It may be left unfinished."""
    met: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    while met.total() < kills and time.monotonic() < deadline:
        with (project.folder / "chaos.log").open("a") as log:
            running = project.start("snakemake", "--cores", "2", *target, stdout=log, stderr=log)
            wait_for_stage(running)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(chance.uniform(0.1, 4))
            if running.poll() == 0:
                break
            victim = chance.choice(VICTIMS)
            met[victim] += kill(running, victim)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(60)
    return met


def wait_for_stage(running: "subprocess.Popen[str]") -> None:
    """Until a stage runs: before that there is nothing to lose."""
    while running.poll() is None and not found(running.pid, "stage"):
        time.sleep(0.05)


def found(top: int, victim: str) -> list[psutil.Process]:
    """Processes of a Snakemake of that kind; `group`: all."""
    try:
        snakemake = psutil.Process(top)
        below = snakemake.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    words = {"stage": "-m cellar ", "dvc": "-m cellar.pipeline.repro"}.get(victim)
    if words is None:
        return [snakemake, *below] if victim == "group" else [snakemake]
    return [process for process in below if words in said(process)]


def said(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def kill(running: "subprocess.Popen[str]", victim: str) -> int:
    """kill -9, as soon as there is one; how many kills this was: none if the build ended first."""
    while running.poll() is None:
        victims = found(running.pid, victim)
        kill_all(victims)
        if victims:
            return 1
        time.sleep(0.02)
    return 0


def hashes(project: Project) -> dict[str, str]:
    """Path -> sha256, read from the disk, of every file that may not depend on who built it or when."""
    files = {path: project.folder / path for path in project.made()}
    return {path: sha256(file.read_bytes()).hexdigest() for path, file in files.items() if file.is_file()}


def left_behind(project: Project) -> list[Path]:
    """Half-written files and checkpoints: there must be none when a build is finished."""
    folder = project.folder
    return [*folder.glob(".cache/checkpoints/*"), *(path for path in folder.glob("[rd]*/**/.*.tmp"))]


def main() -> int:
    options = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seconds", type=float, default=900, help="no kill after that; the build is still finished")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--target", nargs="*", default=[], help="as snakemake takes them; all if none is named")
    asked = options.parse_args()
    with TemporaryDirectory(prefix="cellar-chaos-") as scratch:
        whole = clone(Path(scratch) / "whole", tiny(yaml.safe_load((ROOT / "params.yaml").read_text())))
        killed = whole.copy_to(Path(scratch) / "killed")
        started = time.monotonic()
        whole.snakemake(*asked.target)
        alone = time.monotonic() - started
        met = torment(killed, asked.target, asked.kills, asked.seconds, random.Random(asked.seed))
        killed.snakemake(*asked.target)
        took = time.monotonic() - started - alone
        ours, theirs = hashes(killed), hashes(whole)
        differ = sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
        verified = killed.run("python", "-m", "cellar", "verify", ok=False)
        proof = (verified.stdout + verified.stderr).splitlines()[-1:]
        print(f"seed {asked.seed}: {met.total()} kills ({', '.join(f'{n} {who}' for who, n in met.items())})")
        print(
            f"{len(ours)} files, {len(differ)} differ; {took:.0f} s, {alone:.0f} s when left alone; {' '.join(proof)}"
        )
        problems = [*(f"differs: {path}" for path in differ), *(f"left behind: {p}" for p in left_behind(killed))]
        print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
        return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
