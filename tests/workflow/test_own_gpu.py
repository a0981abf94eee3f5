"""Jobs that run at once get a GPU each; what a GPU is, is faked by name, and the rest is real."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from .conftest import ROOT

TOOL = ROOT / "workflow/lib/own_gpu.py"
SAY = "import os, time; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); time.sleep(60)"


@contextmanager
def job(folder: Path, gpus: str, count: int = 1, **more: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "TMPDIR": str(folder), "CUDA_VISIBLE_DEVICES": gpus, **more}
    command = [sys.executable, str(TOOL), str(count), sys.executable, "-c", SAY]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def told(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def test_each_job_has_its_own_and_the_next_waits_until_one_is_free(tmp_path: Path) -> None:
    with job(tmp_path, "4,5") as first, job(tmp_path, "4,5") as second:
        held = {told(first): first, told(second): second}
        assert held.keys() == {"4", "5"}
        with job(tmp_path, "4,5") as third:
            time.sleep(0.7)
            assert third.poll() is None
            held["5"].kill()  # -9: nobody tidies up
            assert told(third) == "5"


@pytest.mark.parametrize("gpus", ["", "3"])
def test_one_gpu_or_none_is_left_as_it_is(tmp_path: Path, gpus: str) -> None:
    with job(tmp_path, gpus) as first, job(tmp_path, gpus) as second:
        assert (told(first), told(second)) == (gpus, gpus)


def test_slurm_has_handed_them_out_already(tmp_path: Path) -> None:
    with job(tmp_path, "0,1", SLURM_JOB_ID="7") as running:
        assert told(running) == "0,1"


@pytest.mark.parametrize(("here", "cluster", "asked"), [("0", False, 1), ("", True, 1), ("", False, 0)])
def test_a_job_of_every_torch_stage_asks_for_a_gpu_where_there_may_be_one(
    here: str, cluster: bool, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "workflow/lib"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", here)
    import planning

    from cellar import config

    workflow = SimpleNamespace(non_local_exec=False)  # as it is of any executor while Snakemake reads the rules
    plan = planning.Plan(config.load(), workflow)
    gpus = [(stage, plan.gpus_of(stage.kind)) for stage in plan.stages]
    workflow.non_local_exec = cluster
    for stage, count in gpus:
        found = count(SimpleNamespace(item=stage.job.item)) if callable(count) else count
        assert found == (asked if stage.kind.torch else 0), stage.address


def test_a_job_is_given_its_gpus() -> None:
    assert "{OWN_GPU} {resources.gpu} {REPRO}" in (ROOT / "Snakefile").read_text()
