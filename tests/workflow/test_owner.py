"""Snakemake's lock of a killed run is removed; that of a run that lives, or of another host, is left alone."""

import importlib
import json
import platform
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cellar.cli import main
from tests.processes import Ended

LIB = Path(__file__).parents[2] / "workflow/lib"
RUN = f"import sys; sys.path.insert(0, {str(LIB)!r}); import owner; owner.clear_dead_lock(); print('here', flush=True); input()"


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(LIB))
    return importlib.import_module("owner")


def other() -> Ended:
    """Another Snakemake in this folder, which has read the Snakefile."""
    process = Ended([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "here\n"
    return process


def lock(host: str | None = None) -> Path:
    path = Path(".snakemake/locks/0.input.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("results/tables/table_vi.md\n")
    if host:
        Path(".snakemake/owner.json").write_text(json.dumps({"host": host, "pid": 1}))
    return path


def test_the_lock_of_a_killed_run_is_removed(owner: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with other() as run:
        left = lock()
        run.kill()
    owner.clear_dead_lock()
    assert not left.exists()
    assert capsys.readouterr().err == "cellar: the run that locked this folder was killed; its lock is removed\n"


def test_that_of_a_run_which_lives_is_left(owner: ModuleType) -> None:
    """Also where a dry run, or a run that Snakemake refused, came and went meanwhile."""
    with other() as run:
        left = lock()
        with other() as dry_run:
            dry_run.kill()
        owner.clear_dead_lock()
        run.kill()
    assert left.exists()


@pytest.mark.parametrize("name", ["[]", "[" * 100_000, "{"])
def test_so_is_one_whose_owner_cannot_be_read(owner: ModuleType, name: str) -> None:
    left = lock("here")
    Path(".snakemake/owner.json").write_text(name)
    owner.clear_dead_lock()
    assert left.exists()


def test_so_is_that_of_another_host(owner: ModuleType) -> None:
    left = lock(f"not-{platform.node()}")
    owner.clear_dead_lock()
    assert left.exists()


@pytest.mark.parametrize("command", [["use", "sample"], ["plan"]])
def test_what_a_run_has_planned_is_not_rewritten_under_it(
    owner: ModuleType, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """(In this folder, either command finds next that it has no parameters.)"""
    refusal = "cellar: snakemake is running here; wait for it, or use another clone\n"
    with other() as run:
        assert main(command) == 1
        assert capsys.readouterr().err == refusal
        assert main(["plan", "--check"]) == 1
        assert "params.yaml" in capsys.readouterr().err
        run.kill()
    assert main(command) == 1
    assert capsys.readouterr().err not in ("", refusal)
