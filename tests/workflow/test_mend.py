"""A dvc.lock that DVC was killed in writing: what is whole of it is kept, the rest comes back from DVC's cache."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import FACES, Project

LIB = Path(__file__).parents[2] / "workflow/lib"
WHOLE = """\
schema: '2.0'
stages:
  prepare-a:
    cmd: python -m cellar prepare a
    deps:
    - path: data/raw/a
      md5: 764efa883dda1e11db47671c4a3bbd9e
    outs:
    - path: data/prepared/ä
      md5: 123efa883dda1e11db47671c4a3bbd9e
      size: 31
  train-a:
    cmd: python -m cellar train a
    deps:
    - path: data/prepared/ä
      md5: 123efa883dda1e11db47671c4a3bbd9e
      size: 31
"""
MERGED = WHOLE.replace("  train-a:\n", "<<<<<<< HEAD\n  train-a:\n=======\n  train-b:\n>>>>>>> theirs\n")


@pytest.fixture
def mend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(LIB))
    return importlib.import_module("mend")


def test_wherever_it_is_cut_the_stages_before_the_cut_stay(mend: ModuleType, tmp_path: Path) -> None:
    lock, whole = tmp_path / "dvc.lock", WHOLE.encode()
    second = whole.index(b"  train-a")
    for end in range(len(whole)):
        lock.write_bytes(whole[:end])
        if not mend.cut_short(lock) and mend.valid(lock.read_text()):  # DVC reads it, and finds the stage changed
            assert not mend.drop_cut_stage(lock) and lock.read_bytes() == whole[:end], end
            continue
        assert mend.drop_cut_stage(lock), end
        if end < second + 3:  # of the second, nothing yet that tells it from the end of the first
            assert not lock.exists(), end
        else:
            assert lock.read_bytes() == whole[:second], end
        assert list(tmp_path.iterdir()) in ([], [lock])


@pytest.mark.parametrize(
    "spoilt",
    [
        WHOLE,
        MERGED,
        f"{WHOLE}>>>>>>> theirs\n",
        WHOLE.replace("prepare-a:", "prepare-a: ["),
        f"# mine\n{WHOLE}",
        WHOLE.replace("'2.0'", "'3.0'"),
    ],
    ids=["whole", "merge", "the end of a merge", "no yaml", "another beginning", "another form"],
)
def test_what_no_kill_leaves_is_left_alone(mend: ModuleType, tmp_path: Path, spoilt: str) -> None:
    lock = tmp_path / "dvc.lock"
    lock.write_text(spoilt)
    assert not mend.drop_cut_stage(lock)
    assert lock.read_text() == spoilt


@pytest.mark.parametrize("left", [0.95, pytest.param(0.0, marks=pytest.mark.long)], ids=["a part", "nothing"])
@pytest.mark.parametrize("file", [pytest.param("dvc.lock", marks=pytest.mark.long), f"studies/{FACES}/dvc.lock"])
def test_nothing_is_trained_again_for_what_was_cut(project: Project, left: float, file: str) -> None:
    lock = project.folder / file
    before, text, records = project.made(), lock.read_text(), trainings(project)
    lock.write_text(text[: int(left * len(text))].rstrip("\n"))
    assert f"{file} was cut short" in project.snakemake()
    assert project.made() == before and trainings(project) == records and project.out_of_date() == set()


def trainings(project: Project) -> dict[str, str]:
    """The records of all trainings; each tells when it was."""
    records = [*project.folder.glob("results/records/*/train_*/*.json"), *project.folder.glob("results/records/*/distill_*/*.json")]  # fmt: skip
    return {str(path): path.read_text() for path in records}


def test_a_merge_that_was_left_halfway_is_said(project: Project) -> None:
    lock = project.folder / "dvc.lock"
    spoilt = f"{lock.read_text()}<<<<<<< HEAD\n"
    lock.write_text(spoilt)
    said = project.snakemake(ok=False)
    assert "cellar: DVC cannot read this project: " in said and "dvc.lock" in said and "Traceback" not in said
    assert lock.read_text() == spoilt
