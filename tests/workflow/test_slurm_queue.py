"""Reports on jobs that Slurm does not start. The answers are those of a Slurm 22.05, as its `squeue` printed them."""

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

LIB = Path(__file__).parents[2] / "workflow/lib"
RUN = "b7c3a9d2-5f0e-4c7b-9a51-0d6f3c1e2a44"
E1 = "rule_distill_student_wildcards_fer2013-E1_seed-0"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(LIB))
    return importlib.import_module("slurm_queue")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`squeue` answers with the file `queue`, and `scancel` takes the waiting jobs out of it."""
    for name, does in {
        "squeue": f"[ \"$*\" = '--noheader --format=%i|%T|%r|%k --name {RUN}' ] && cat {tmp_path}/queue",
        "scancel": f"[ \"$*\" = '--name {RUN} --state=PENDING' ] && sed -i /PENDING/d {tmp_path}/queue",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def said(queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str], *answers: str) -> list[str]:
    """The lines about one answer after the other."""
    watcher = queue.Watcher(RUN)
    for answer in answers:
        (slurm / "queue").write_text(answer)
        watcher.report()
    return capfd.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("JobHeldUser", "`scontrol release 17`"),
        ("JobHeldAdmin", "`scontrol release 17`"),
        ("launch failed requeued held", "`scontrol release 17`"),
        ("JobHoldMaxRequeue", "`scontrol release 17`"),
        ("PartitionDown", "--default-resources slurm_partition=NAME"),
        ("PartitionInactive", "--default-resources slurm_partition=NAME"),
        ("PartitionNodeLimit", "--set-resources distill_student:"),
        ("PartitionConfig", "--set-resources distill_student:"),
        ("PartitionTimeLimit", "--set-resources distill_student:runtime=MINUTES"),
        ("QOSMaxWallDurationPerJobLimit", "--set-resources distill_student:runtime=MINUTES"),
        ("QOSMaxCpuPerUserLimit", "a limit of the cluster"),
        ("AssocGrpCPUMinutesLimit", "a limit of the cluster"),
        ("InvalidAccount", "--default-resources slurm_account=NAME"),
        ("InvalidQOS", "--default-resources qos=NAME"),
        ("BadConstraints", "`scontrol show job 17` says more"),
        ("ReqNodeNotAvail, UnavailableNodes:node2", "`scontrol show job 17` says more"),
        ("DependencyNeverSatisfied", "`scontrol show job 17` says more"),
        ("SomethingOfALaterSlurm", "`scontrol show job 17` says more"),
    ],
)
def test_a_job_that_cannot_start_is_named_with_its_reason(
    reason: str, remedy: str, queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (line,) = said(queue, slurm, capfd, f"16|RUNNING|None|{E1}\n17|PENDING|{reason}|{E1}\n")
    assert line.startswith(f"cellar: Slurm does not start job 17 (distill_student fer2013-E1_seed-0): {reason}; ")
    assert remedy in line


@pytest.mark.parametrize("reason", ["None", "Resources", "Priority", "BeginTime"])
def test_a_job_whose_turn_comes_is_no_error(
    reason: str, queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = said(
        queue, slurm, capfd, f"17|PENDING|{reason}|{E1}\n", f"17|PENDING|{reason}|{E1}\n18|PENDING|{reason}|\n"
    )
    assert lines == [f"cellar: job 17 (distill_student fer2013-E1_seed-0) in Slurm's queue: {reason}"]


def test_jobs_that_run_are_not_mentioned(queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(queue, slurm, capfd, f"1|RUNNING|None|{E1}\n2|COMPLETING|None|(null)\n3|CONFIGURING|None|\n", "") == []


def test_each_reason_is_reported_once(queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    down = f"17|PENDING|PartitionDown|{E1}\n18|PENDING|PartitionDown|rule_prepare_wildcards_fer2013\n"
    held = f"{down}19|SUSPENDED|None|(null)\n"
    lines = said(queue, slurm, capfd, down, down, held, held)
    assert len(lines) == 2
    assert "does not start job 17 (distill_student fer2013-E1_seed-0) and 1 more: PartitionDown; " in lines[0]
    assert "job 19 " in lines[1] and "SUSPENDED" in lines[1]


def test_a_slurm_that_does_not_answer_is_reported_once_and_queried_again(
    queue: ModuleType, slurm: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller' >&2\nexit 1\n"
    answers = (slurm / "squeue").read_text()
    watcher = queue.Watcher(RUN)
    (slurm / "queue").write_text(f"17|PENDING|JobHeldUser|{E1}\n")
    for text in (refuses, refuses, answers):
        (slurm / "squeue").write_text(text)
        watcher.report()
    first, second = capfd.readouterr().err.splitlines()
    assert "slurm_load_jobs error: Unable to contact slurm controller" in first
    assert "job 17 " in second
    monkeypatch.setenv("PATH", str(slurm / "nothing"))
    queue.Watcher(RUN).report()
    assert "squeue" in capfd.readouterr().err


RUNS = """
import sys, threading, time, signal
sys.path.insert(0, sys.argv[1])
import slurm_queue

class Executor: run_uuid, __module__ = sys.argv[2], sys.argv[3]
class Scheduler: _executor = Executor()
class Workflow: scheduler, is_main_process = Scheduler(), True

signal.signal(signal.SIGTERM, lambda number, frame: print("graceful", flush=True))
slurm_queue.watch(Workflow())
print("ready", flush=True)
try:
    threading.Semaphore(0).acquire()  # as Snakemake waits
except KeyboardInterrupt:
    print("cancelled", flush=True)
"""


@pytest.mark.parametrize("runs", [False, True], ids=["all wait", "one runs"])
def test_sigterm_cancels_what_waits_and_lets_finish_what_runs(runs: bool, slurm: Path) -> None:
    (slurm / "queue").write_text(f"17|PENDING|JobHeldUser|{E1}\n" + f"18|RUNNING|None|{E1}\n" * runs)
    command = [sys.executable, "-c", RUNS, str(LIB), RUN, "snakemake_executor_plugin_slurm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stderr
        assert running.stdout.readline() == "ready\n"
        running.terminate()
        assert running.stdout.readline() == "graceful\n"
        line = running.stderr.readline()
        if runs:
            assert line == "cellar: running jobs are waited for; a second SIGTERM, or Ctrl-C, cancels them too\n"
            time.sleep(1)
            assert running.poll() is None
            running.terminate()
        else:
            assert line == "cellar: no job runs; those in Slurm's queue are cancelled\n"
        assert running.communicate(timeout=30) == ("cancelled\n", "")
    assert (slurm / "queue").read_text() == f"18|RUNNING|None|{E1}\n" * runs


def test_other_executors_keep_their_own_sigterm(slurm: Path) -> None:
    command = [sys.executable, "-c", RUNS, str(LIB), RUN, "snakemake_executor_plugin_cluster"]
    (slurm / "queue").write_text(f"17|PENDING|JobHeldUser|{E1}\n")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stdout.readline() == "ready\n"
        running.terminate()
        assert running.stdout.readline() == "graceful\n"
        time.sleep(1)
        assert running.poll() is None
        running.kill()
    assert (slurm / "queue").read_text() == f"17|PENDING|JobHeldUser|{E1}\n"
