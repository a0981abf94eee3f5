"""`dvc add` of what a stage makes: DVC allows no two owners of one path, so the file is named before anything is run."""

from pathlib import Path

import pytest

from cellar.pipeline import dvc
from cellar.pipeline.stage import Job, Stage
from cellar.pipeline.stages import prepare
from tests.conftest import ROOT

REMEDY = "but the stage prepare-faces makes files of"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """One that makes data/prepared/faces/arrays.npz of data/raw/faces."""
    monkeypatch.chdir(tmp_path)
    Path("data/prepared/faces").mkdir(parents=True)
    Path("data/raw").mkdir()
    settings = prepare.Settings.model_construct(dataset="faces")
    return Stage(prepare.KIND, Job("faces", "faces", settings, reads=("data/raw/faces",)))


@pytest.mark.parametrize("tracked", ["data/prepared/faces/arrays.npz", "data/prepared/faces", "data/prepared"])
def test_a_file_of_dvc_add_over_an_output_is_named(stage: Stage, tracked: str) -> None:
    Path(f"{tracked}.dvc").touch()
    assert list(dvc.added_outputs([stage])) == [
        f"{tracked}.dvc is of dvc add, {REMEDY} {tracked}; take it out: dvc remove {tracked}.dvc"
    ]


def test_what_a_stage_only_reads_may_be_added(stage: Stage) -> None:
    Path("data/raw/faces.dvc").touch()
    assert not list(dvc.added_outputs([stage]))


def test_git_does_not_ignore_the_files_of_dvc_add() -> None:
    lines = (ROOT / ".gitignore").read_text().splitlines()
    assert lines.index("!/data/raw/*.dvc") > lines.index("/data/raw/*")
