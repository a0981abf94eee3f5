"""`snakemake --profile profiles/slurm` on a real Slurm of two nodes, which tests/slurm/cluster.sh starts on this machine."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import FACES, Project, experiment
from .slurm import LONG, SUBMIT, cluster, jobs, with_packages

pytestmark = LONG

E1 = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"
LOCKS = ("dvc.lock", f"studies/{FACES}/dvc.lock", "studies/cifar100_kd/dvc.lock")
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
    for path in ("results", "data/prepared", "data/raw", ".dvc/cache", ".dvc/tmp", ".cache", *LOCKS):
        place = project.folder / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()
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
            number = started_after(known, "PENDING")
            assert said_within_two_minutes(
                running, f"job {number} (distill_student fer2013-E1_seed-0): PartitionDown; "
            )
            scontrol("hold", str(number))
            assert said_within_two_minutes(running, f"job {number} (distill_student fer2013-E1_seed-0): JobHeld")
            running.terminate()
            said, _ = running.communicate(timeout=60)
    finally:
        scontrol("update", "PartitionName=all", "State=UP")
    assert running.returncode == 1 and "those in Slurm's queue are cancelled" in said and "Traceback" not in said
    assert jobs()[number]["JobState"] == "CANCELLED"
    assert project.planned(E1) == {"distill_student": 1}


def scontrol(*words: str) -> None:
    subprocess.run(["scontrol", *words], check=True, timeout=60)


def said_within_two_minutes(running: "subprocess.Popen[str]", words: str) -> bool:
    assert running.stdout is not None
    asked = time.monotonic()
    return any(words in line and time.monotonic() - asked < 120 for line in running.stdout)
