"""Snakemake's plan asks DVC only about stages whose files have changed since DVC found them up to date."""

import importlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from cellar.config.section import Section
from cellar.pipeline.stage import Job, Stage, StageKind

from .conftest import Project

LIB = Path(__file__).parents[2] / "workflow/lib"
NOTES, CACHED = Path("notes"), "cache/weights"


class Settings(Section):
    width: int = 3


def stage(name: str, reads: str, makes: str) -> Stage:
    kind = StageKind(name, lambda config: (), Settings, lambda settings: None, ("code",), outs=(makes,))
    return Stage(kind, Job("", "", Settings(), (reads,)))


TRAIN, EVALUATE = stage("train", "images", "weights"), stage("evaluate", "weights", "metrics")


@pytest.fixture
def lib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The module, in a folder with two stages that are built and noted: an hour old, as DVC was asked a minute ago."""
    monkeypatch.syspath_prepend(str(LIB))
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module("unchanged")
    for name in (
        "images",
        "weights",
        "metrics",
        "dvc.yaml",
        "dvc.lock",
        CACHED,
        "code/a.py",
        TRAIN.resolved,
        EVALUATE.resolved,
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("1")
        hour_ago = time.time() - 3600
        os.utime(name, (hour_ago, hour_ago))
    NOTES.mkdir()
    for one in (TRAIN, EVALUATE):
        note = module.note(one, [CACHED] if one is TRAIN else [], time.time_ns() - 60 * 10**9)
        place(one).write_text(note)
    return module


def place(one: Stage) -> Path:
    return NOTES / one.address


def asked_about(lib: ModuleType) -> list[str]:
    return [one.name for one in lib.changed([TRAIN, EVALUATE], place)]


def test_nothing_is_asked_while_nothing_changes(lib: ModuleType) -> None:
    assert asked_about(lib) == []


CHANGES: dict[str, tuple[Callable[[], object], list[str]]] = {
    "an input": (lambda: Path("images").write_text("2"), ["train", "evaluate"]),
    "a time alone": (lambda: os.utime("images", (1, 1)), ["train", "evaluate"]),
    "a time in the future": (lambda: os.utime("metrics", (2**32, 2**32)), ["evaluate"]),
    "an output": (lambda: Path("metrics").unlink(), ["evaluate"]),
    "another file, of the same time and size": (lambda: replace("metrics"), ["evaluate"]),
    "settings": (lambda: EVALUATE.resolved.write_text("2"), ["evaluate"]),
    "a new file of code": (lambda: Path("code/b.py").write_text("2"), ["train", "evaluate"]),
    "a copy lost from the cache": (lambda: Path(CACHED).unlink(), ["train", "evaluate"]),
    "the lock": (lambda: Path("dvc.lock").write_text("2"), ["train", "evaluate"]),
    "DVC's settings": (lambda: Path(".dvcignore").write_text("*.py"), ["train", "evaluate"]),
    "no note": (lambda: place(EVALUATE).unlink(), ["evaluate"]),
    "a reason in place of the note": (lambda: place(EVALUATE).write_text('{"checked": 1, "why": []}'), ["evaluate"]),
    "half a note": (lambda: place(EVALUATE).write_text('{"cached": ['), ["evaluate"]),
}


def replace(name: str) -> None:
    shutil.copy2(name, "copy")
    Path("copy").replace(name)


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_changed_is_asked_about_and_what_reads_its_outputs(
    lib: ModuleType, change: Callable[[], object], expected: list[str]
) -> None:
    change()
    assert asked_about(lib) == expected


def test_a_file_written_while_dvc_was_asked_is_asked_about_again(lib: ModuleType) -> None:
    asked = time.time_ns()
    Path("metrics").write_text("2")
    place(EVALUATE).write_text(lib.note(EVALUATE, [], asked))
    assert asked_about(lib) == ["evaluate"]


def test_a_second_plan_does_not_start_dvc(project: Project) -> None:
    plan = ("python", "-X", "importtime", "-m", "snakemake", "--dry-run", "results/tables/table_vi.md")
    first, second = (project.run(*plan) for _ in range(2))
    assert "dvc.repo" in first.stderr and "dvc.repo" not in second.stderr
    assert all("Nothing to be done" in plan.stdout + plan.stderr for plan in (first, second))
