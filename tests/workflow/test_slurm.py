"""`snakemake --profile profiles/slurm` on a real Slurm of two nodes, which tests/slurm/cluster.sh starts on this machine."""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cellar.paths import pipeline_files

from .conftest import FACES, Project, experiment
from .slurm import LONG, SUBMIT, cluster, jobs, with_packages

pytestmark = LONG

E1 = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"
ENDED = {"COMPLETED", "CANCELLED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT"}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster, and the folder of the packages that the profile asks for."""
    with cluster(tmp_path_factory.mktemp("slurm")) as packages:
        yield packages


@pytest.fixture
def submit(slurm: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., "subprocess.Popen[str]"]:
    """Snakemake with the profile; a retraining of E1 is what there is to do."""
    project.change(lambda params: experiment(params, "fer2013-E1")["method"].update(temperature=5))
    with_packages(project, slurm, monkeypatch)

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return project.start(*SUBMIT, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return start


def started_after(known: set[int], state: str = "RUNNING") -> int:
    """A job that is new and in that state, waited for."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for number, job in jobs().items():
            if number not in known and job["JobState"] == state:
                return number
        time.sleep(0.3)
    raise AssertionError(f"no new job is {state}: {jobs()}")


def test_table_vi_is_built_by_submitted_jobs(
    submit: Callable[..., "subprocess.Popen[str]"], project: Project, built: Project
) -> None:
    project.change(lambda params: experiment(params, "fer2013-E1")["method"].update(temperature=3))
    for lock in pipeline_files("dvc.lock", project.folder):
        (project.folder / lock).unlink()
    for path in ("results", "data/prepared", "data/raw", ".dvc/cache", ".dvc/tmp", ".cache"):
        shutil.rmtree(project.folder / path)
    known = set(jobs())
    running = submit("results/tables/table_vi.md")
    said, _ = running.communicate(timeout=800)
    assert running.returncode == 0, said
    made = {number: job for number, job in jobs().items() if number not in known}
    assert {job["JobState"] for job in made.values()} == {"COMPLETED"}
    asked = [job for job in made.values() if "gpu:1" in job.get("TresPerJob", "")]
    assert len(asked) == 8 and len(made) == 10  # 4 trainings, 4 evaluations; drawing and preparing take no GPU
    ours, theirs = project.made(), built.made()
    assert E1 in ours and ours == {path: theirs[path] for path in ours}
    assert project.planned("results/tables/table_vi.md") == {}


def test_a_job_that_was_killed_for_memory_is_submitted_with_more(
    submit: Callable[..., "subprocess.Popen[str]"], project: Project
) -> None:
    known = set(jobs())
    running = submit(E1, "--set-resources", "distill_student:mem_mb=60 if attempt == 1 else 4000")
    said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said
    first, second = (job for number, job in sorted(jobs().items()) if number not in known)
    assert first["JobState"] != "COMPLETED" and "mem=60M" in first["TRES"]
    assert second["JobState"] == "COMPLETED" and "mem=4000M" in second["TRES"]


def test_a_cancelled_job_is_seen_and_submitted_again(
    submit: Callable[..., "subprocess.Popen[str]"], project: Project
) -> None:
    known = set(jobs())
    running = submit(E1)
    first = started_after(known)
    subprocess.run(["scancel", str(first)], check=True)
    said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said
    states = [job["JobState"] for number, job in sorted(jobs().items()) if number not in known]
    assert states == ["CANCELLED", "COMPLETED"]
    assert (project.folder / E1).exists() and project.planned(E1) == {}


def test_ctrl_c_cancels_what_runs(submit: Callable[..., "subprocess.Popen[str]"], project: Project) -> None:
    project.change(lambda params: params["studies"][FACES]["recipes"]["student_a"].update(epochs=2000, early_stop=2000))
    known = set(jobs())
    running = submit(E1)
    first = started_after(known)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode != 0
    deadline = time.monotonic() + 60
    while jobs()[first]["JobState"] not in ENDED and time.monotonic() < deadline:
        time.sleep(0.3)
    assert jobs()[first]["JobState"] == "CANCELLED"
    assert project.planned(E1) == {"distill_student": 1}


def test_a_job_that_slurm_holds_is_said_and_sigterm_ends_the_run(
    submit: Callable[..., "subprocess.Popen[str]"], project: Project
) -> None:
    known = set(jobs())
    scontrol("update", "PartitionName=all", "State=DOWN")
    try:
        with submit(E1) as running:
            number, what = started_after(known, "PENDING"), f"(distill_student {FACES}_fer2013-E1_seed-0)"
            wait_to_hear(running, f"Slurm does not start job {number} {what}: PartitionDown; ")
            scontrol("hold", str(number))
            wait_to_hear(running, f"Slurm does not start job {number} {what}: JobHeld")
            running.terminate()
            said, _ = running.communicate(timeout=60)
    finally:
        scontrol("update", "PartitionName=all", "State=UP")
    assert running.returncode == 1 and "those in Slurm's queue are cancelled" in said and "Traceback" not in said
    assert jobs()[number]["JobState"] == "CANCELLED"
    assert project.planned(E1) == {"distill_student": 1}


def scontrol(*words: str) -> None:
    subprocess.run(["scontrol", *words], check=True, timeout=60)


def wait_to_hear(running: "subprocess.Popen[str]", words: str) -> None:
    """Until it says so, for two minutes."""
    assert running.stdout is not None
    said, deadline = b"", time.monotonic() + 120
    while words.encode() not in said:
        if select.select([running.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            said += os.read(running.stdout.fileno(), 65536)
        assert time.monotonic() < deadline and running.poll() is None, said.decode()
