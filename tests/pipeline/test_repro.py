"""One stage as Snakemake has DVC run it: what it says, and when it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellar.pipeline import repro

STAGES = """stages:
  count-all: {cmd: echo made >> log.txt; cp log.txt out.txt, deps: [in.txt], outs: [out.txt]}
  killed: {cmd: kill -9 $$, outs: [killed.txt]}
  linked: {cmd: touch linked/out.txt, outs: [linked/out.txt]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A DVC project of three stages; one's output lies behind a link that leaves it."""
    folder = tmp_path / "project"
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "in.txt").write_text("read")
    (folder / "dvc.yaml").write_text(STAGES)
    for command in ("git init --quiet", f"{sys.executable} -m dvc init --quiet"):
        subprocess.run(command.split(), cwd=folder, check=True)
    return folder


def run(project: Path, stage: str, forced: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cellar.pipeline.repro", stage], cwd=project, check=False, capture_output=True, text=True,
        env=os.environ | {repro.FORCED: forced, "PYTHONPATH": str(Path(repro.__file__).parents[2])},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "reason"), [("linked", "is outside of git repository"), ("killed", "exited with -9"), ("absent", "not found")]
)  # fmt: skip
def test_dvcs_own_error_is_one_line(project: Path, stage: str, reason: str) -> None:
    done = run(project, stage)
    last = done.stderr.splitlines()[-1]
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert last.startswith("cellar: DVC: ") and stage in last and reason in last


def test_a_forced_stage_runs_and_another_is_restored(project: Path) -> None:
    def runs() -> int:
        return len((project / "log.txt").read_text().splitlines())

    assert run(project, "count-all").returncode == 0 and runs() == 1
    assert run(project, "count-all", forced="plot count-other").stderr == "" and runs() == 1
    assert run(project, "count-all", forced="plot count-all").returncode == 0 and runs() == 2
    assert run(project, "count-all", forced="count").returncode == 0 and runs() == 3
    (project / "out.txt").unlink()
    restored = run(project, "count-all")
    assert "restored from its cache, not run" in restored.stderr and runs() == 3
    assert (project / "out.txt").read_text() == "made\n" * 3
