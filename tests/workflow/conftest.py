"""A small project, cloned into a folder of its own and built once with the real tools.

The models, readers, loop and tools are the real ones; only the pictures are few and small.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from cellar.paths import pipeline_files, stage_address
from cellar.provenance import lineage

from ..processes import Ended

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FACES, OBJECTS, PINS = "mini_resemotenet", "cifar100_kd", "small_dataset_kd"  # the studies
# Outputs that hold times, or show them.
TIMED = ("results/metrics/costs", "table_v.", "verdicts.", "results/index.md")
GENERATED = re.compile(r"^(results|runs)/|dvc\.lock$|^studies/\w+/(\w+/)?dvc\.yaml$")  # not copied into a clone


def student(kind: str, experiment: str, seed: int = 0) -> str:
    """The DVC address of a stage of an experiment; its study is that of its data set."""
    study = {"fer2013": FACES, "raf_db": FACES, "cifar100": OBJECTS, "pins": PINS}[experiment.partition("-")[0]]
    return stage_address(kind, f"{experiment}/seed-{seed}", study, results=kind.startswith("evaluate"))


def experiment(params: dict[str, Any], name: str, study: str = FACES) -> dict[str, Any]:
    """The line of an experiment, to be changed."""
    line: dict[str, Any] = params["studies"][study]["experiments"][name]
    return line


@pytest.fixture(scope="session", autouse=True)
def hear_ctrl_c() -> None:
    """A job that a script starts in the background is deaf to Ctrl-C, and so is all that it starts: these tests, say."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Project:
    """A clone: `run` calls a tool in it, `params` reads and changes its params.yaml."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DVC", "SNAKEMAKE", "PYTEST"))},
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "CUDA_VISIBLE_DEVICES": "",  # bytes are compared, and memory is limited, as on a CPU
        }

    def start(self, *command: str, **options: Any) -> Ended:
        return Ended(command, cwd=self.folder, env=self.environment(), text=True, **options)

    def run(self, *command: str, ok: bool = True, limit: int = 600) -> subprocess.CompletedProcess[str]:
        with self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            said, errors = running.communicate(timeout=limit)
        done = subprocess.CompletedProcess(command, running.returncode, said, errors)
        if ok and done.returncode:
            pytest.fail(
                f"{' '.join(command)} exited with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def snakemake(self, *arguments: str, ok: bool = True) -> str:
        done = self.run("snakemake", "--cores", "2", *arguments, ok=ok)
        return done.stdout + done.stderr

    def planned(self, *targets: str) -> dict[str, int]:
        """Jobs that Snakemake would run, by rule."""
        lines = self.snakemake("--dry-run", *targets).splitlines()
        if "total" not in " ".join(lines):
            return {}
        start = next(i for i, line in enumerate(lines) if line.startswith("job ") and "count" in line)
        jobs: dict[str, int] = {}
        for line in lines[start + 2 :]:
            if not line.strip():
                break
            rule, count = line.split()
            jobs[rule] = int(count)
        return {rule: count for rule, count in jobs.items() if rule not in ("total", "all")}

    def made(self) -> dict[str, str]:
        """Path -> md5, by the locks, of every output that may not depend on who built it or when."""
        outs = [out for stage in self.locked().values() for out in stage["outs"]]
        return {out["path"]: out["md5"] for out in outs if not any(part in out["path"] for part in TIMED)}

    def locked(self) -> dict[str, Any]:
        """Every stage of the locks, by its address."""
        stages = {}
        for lock in pipeline_files("dvc.lock", self.folder):
            file = lock.with_suffix(".yaml")
            prefix = "" if file == Path("dvc.yaml") else f"{file}:"
            found = yaml.load((self.folder / lock).read_text(), Loader=lineage.Loader)["stages"]
            stages |= {f"{prefix}{name}": stage for name, stage in found.items()}
        return stages

    def records(self, address: str) -> list[dict[str, Any]]:
        """The records of a stage's runs, oldest first."""
        file, _, stage = address.rpartition(":")
        folder = self.folder / "results/records" / (Path(file).parts[1] if file else "shared") / stage
        records = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        return sorted(records, key=lambda record: str(record["started"]))

    def record(self, address: str) -> dict[str, Any]:
        """The record of a stage's latest run."""
        return self.records(address)[-1]

    def resolve(self) -> None:
        """Bring the resolved settings up to date, as both tools do before they run anything else."""
        self.run("dvc", "repro", "--quiet", "--single-item", "resolve")

    def out_of_date(self, built: bool = False) -> set[str]:
        """Stages that DVC would run, by address; `built`: only those that ran before."""
        status = json.loads(self.run("dvc", "status", "--json").stdout)
        return set(status) & set(self.locked()) if built else set(status)

    def change(self, spoil: Callable[[dict[str, Any]], object]) -> None:
        path = self.folder / "params.yaml"
        raw = yaml.safe_load(path.read_text())
        spoil(raw)
        path.write_text(yaml.safe_dump(raw, sort_keys=False))

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", message)

    def copy_to(self, folder: Path) -> "Project":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)


def tiny(shipped: dict[str, Any]) -> dict[str, Any]:
    """The smallest params.yaml that has two studies and nearly every kind of stage; RAF-DB is off."""
    raw = deepcopy(shipped)
    raw["threads"] = 1
    raw["datasets"]["fer2013"] |= {
        "input_size": 16,
        "source": {"synthetic": {"seed": 1, "train": 80, "validation": 56, "test": 70}},
    }
    raw["datasets"]["raf_db"]["enabled"] = False
    raw["datasets"]["cifar100"] |= {
        "validation_fraction": 0.5,
        "source": {"synthetic": {"seed": 1, "train": 200, "test": 100}},
    }
    del raw["datasets"]["pins"], raw["studies"]["small_dataset_kd"]  # test_pins.py has a clone of its own for these
    faces, objects = raw["studies"]["mini_resemotenet"], raw["studies"]["cifar100_kd"]
    for recipe in (*faces["recipes"].values(), *objects["recipes"].values()):
        recipe |= {"epochs": 2, "batch_size": 16}
    faces["teachers"]["fer2013"]["model"] = "resemotenet_c"
    objects["teachers"]["cifar100"]["model"] = "cnn4"
    kept = ["fer2013-scratch_a", "fer2013-E1", "fer2013-E4", "raf_db-E1"]
    faces["experiments"] = {key: faces["experiments"][key] | {"model": "resemotenet_c"} for key in kept}
    objects["experiments"] = {key: line | {"seeds": [0]} for key, line in objects["experiments"].items()}
    sweep = faces["sweeps"]["fer2013_sweep"]
    faces["sweeps"] = {"fer2013_sweep": sweep | {"temperatures": [1, 3], "task_weights": [0.2]}}
    del objects["sweeps"]
    raw["costs"] = {"batch_sizes": [1, 4], "warmup": 1, "repeats": 2}
    return raw


def clone(folder: Path, raw: dict[str, Any] | str) -> Project:
    """A clone of the working tree with `raw` as params.yaml, its text or what it holds; nothing built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file() and not GENERATED.search(name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    project = Project(folder)
    text = raw if isinstance(raw, str) else yaml.safe_dump(raw, sort_keys=False)
    (folder / "params.yaml").write_text(text)
    project.run("git", "init", "--quiet", "-b", "main")
    project.run("python", "-m", "cellar", "plan")
    project.commit("a clone")
    return project


@pytest.fixture(scope="session")
def unbuilt(tmp_path_factory: pytest.TempPathFactory, shipped: dict[str, Any]) -> Project:
    """A clone with tiny parameters, nothing built."""
    return clone(tmp_path_factory.mktemp("clone") / "project", tiny(shipped))


@pytest.fixture(scope="session")
def built(unbuilt: Project, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """The clone, built once by Snakemake: by the worker that asks first; each has a copy."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / "built"
    with FileLock(shared / "built.lock"):
        if not folder.exists():
            project = unbuilt.copy_to(shared / "being_built")
            project.snakemake()
            project.commit("built")
            project.folder.rename(folder)
    return Project(folder).copy_to(tmp_path_factory.mktemp("built") / "project")


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A built clone of one's own, to change and to break."""
    return built.copy_to(tmp_path / "project")


@pytest.fixture
def fresh(unbuilt: Project, tmp_path: Path) -> Project:
    """An unbuilt clone of one's own."""
    return unbuilt.copy_to(tmp_path / "project")
