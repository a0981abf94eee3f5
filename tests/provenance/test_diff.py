"""diff between commits of a small made-up project: the inputs that differ, and no others."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.provenance import diff

from .cell_project import (
    DRAWN,
    EVALUATION,
    LOCK,
    PREPARED,
    STUDENT,
    STUDY_LOCK,
    TABLE,
    evaluation,
    lock,
    record,
    settings,
    stages,
    study_stages,
    target,
    write,
)

CELL = ("table_vi", "E1", "fer2013_accuracy")
Stages = dict[str, Any]
Spoil = Callable[[Stages], object]


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], check=True)


def commit(tag: str) -> None:
    git("add", "dvc.lock", "studies", "results/tables")
    git("commit", "--quiet", "--allow-empty", "-m", tag)
    git("tag", tag)


def state(tag: str, value: float, spoil: Spoil = lambda found: None, **run: Any) -> None:
    """A commit of the project with that value, its stages spoilt, and the record of its evaluation as `run` has it."""
    table: dict[str, Any] = deepcopy(TABLE)
    table["rows"][1]["cells"]["fer2013_accuracy"]["value"] = value
    files.write_json(Path("results/tables/table_vi.json"), table)
    shared, own = stages(), study_stages()
    found = {**shared, **own}
    spoil(found)
    for path, names in ((LOCK, shared), (STUDY_LOCK, own)):
        lock(path, {name: found[name] for name in names if name in found})
    record(evaluation(), **run)
    commit(tag)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Committed as `old`, with 61.5 %."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    write()
    state("old", 61.5)
    return tmp_path


def student(found: Stages, temperature: int, weights: str = "77") -> None:
    """The student's settings, and the bytes of its weights."""
    values = {"threads": 2, "method": {"name": "logit_kd", "temperature": temperature}}
    found[STUDENT]["params"] = settings(STUDENT, values)
    found[STUDENT]["outs"][0]["md5"] = weights


def changes(new: str = "new") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(diff.report(*CELL, "old", new, as_json=True))
    return found


def test_a_changed_parameter_is_told_and_nothing_else(project: Path) -> None:
    state("cool", 61.5, lambda found: student(found, 3))
    state("hot", 64.0, lambda found: student(found, 5))
    found = json.loads(diff.report(*CELL, "cool", "hot", as_json=True))
    assert found["stages"] == []  # the same bytes: said apart
    state("hotter", 66.0, lambda found: student(found, 5, weights="88"))
    said = diff.report(*CELL, "cool", "hotter")
    assert f"{target(STUDENT)}\n  param    method.temperature: 3 -> 5\n\nAll other inputs are the same." in said
    assert "cool     61.5 % (measured)" in said and "moved    by +4.5 %" in said


def test_an_input_that_changed_no_byte_is_said_apart(project: Path) -> None:
    state("new", 61.5, lambda found: found[PREPARED].update(params=settings(PREPARED, {"threads": 1}, study="")))
    found = changes()
    assert (found["stages"], found["without_effect"][0]["stage"]) == ([], PREPARED)
    said = diff.report(*CELL, "old", "new")
    assert f"{PREPARED} differs too (1 params), but made the same bytes" in said
    assert "moved    no: the same number" in said


def test_code_data_and_command_are_told(project: Path) -> None:
    def spoil(found: Stages) -> None:
        changed = found[EVALUATION]
        changed["deps"][2]["md5"] = "f" * 32
        changed["deps"].append({"path": "src/cellar/more.py", "md5": "1"})
        changed["cmd"] += " --fast"
        changed["outs"][0]["md5"] = "e2"
        del found[DRAWN]
        found[PREPARED]["deps"][0]["md5"] = "ab.dir"
        found[PREPARED]["outs"][0]["md5"] = "b2"

    state("new", 60.0, spoil)
    said = diff.report(*CELL, "old", "new")
    assert "code     src/cellar/models/cnn4.py: changed\n" in said and "code     src/cellar/more.py: new\n" in said
    assert "src/cellar/files.py" not in said
    assert "--fast" in said
    assert 'data     data/raw/faces: not there -> "ab.dir"' in said
    assert f"{DRAWN}\n  only     at old" in said


def put(files_of: dict[str, str]) -> None:
    for name, content in files_of.items():
        files.write_text(Path(name), content)
        git("add", name)


def test_of_a_code_folder_the_files_that_changed_are_named(project: Path) -> None:
    """src/cellar/metrics is one input, of one md5; git knows what in it differs."""
    folder = "src/cellar/metrics"
    put({f"{folder}/same.py": "s", f"{folder}/changed.py": "1", f"{folder}/gone.py": "g", "src/cellar/other.py": "1"})
    state("before", 61.5)
    git("rm", "--quiet", f"{folder}/gone.py")
    put({f"{folder}/changed.py": "2", f"{folder}/new.py": "n", "src/cellar/other.py": "2"})

    def spoil(found: Stages) -> None:
        found[EVALUATION]["deps"][0]["md5"] = "f" * 32
        found[EVALUATION]["outs"][0]["md5"] = "e2"

    state("after", 60.0, spoil)
    said = diff.report(*CELL, "before", "after").splitlines()
    assert [line for line in said if line.startswith("  code")] == [
        f"  code     {folder}/changed.py: changed",
        f"  code     {folder}/gone.py: gone",
        f"  code     {folder}/new.py: new",
    ]
    before = json.loads(diff.report(*CELL, "old", "after", as_json=True))  # when nothing of the folder was in git
    assert list(before["stages"][0]["code"]) == [f"{folder}/changed.py", f"{folder}/new.py", f"{folder}/same.py"]


def test_another_machine_is_told_from_the_records(project: Path) -> None:
    before = evaluation().record
    state("new", 61.0, lambda found: found[EVALUATION]["outs"][0].update(md5="e2"), machine={"host": "other"}, seed=1)
    assert changes()["stages"] == [
        {
            "stage": target(EVALUATION),
            "run": {"machine.host": ["vm", "other"], "machine.system": ["Linux", None], "seed": [0, 1]},
        }
    ]
    assert changes()["unseen"] == []
    before.unlink()
    unseen = changes()
    assert (unseen["stages"], unseen["unseen"]) == ([], [target(EVALUATION)])
    assert "not compared for 1 of these stages" in diff.report(*CELL, "old", "new")


def test_a_difference_without_a_reason_is_called_one(project: Path) -> None:
    state("new", 61.0, lambda found: found[STUDENT]["outs"][0].update(md5="d2"))
    said = diff.report(*CELL, "old", "new")
    assert f"No input that is kept differs, yet these bytes do: results/students/w ({target(STUDENT)})" in said


def test_one_commit_and_itself(project: Path) -> None:
    assert diff.report(*CELL, "old", "HEAD").endswith("moved    no: the same number\n\nNo input differs.")


@pytest.mark.parametrize("revision", ["nowhere", "-p", "old:dvc.lock"])
def test_an_unknown_revision_is_one_line(project: Path, revision: str) -> None:
    with pytest.raises(CellarError, match="git knows no revision") as caught:
        diff.report(*CELL, "old", revision)
    assert "\n" not in str(caught.value)


def test_a_cell_that_one_commit_lacks(project: Path) -> None:
    table: dict[str, Any] = deepcopy(TABLE)
    fewer = table | {"rows": table["rows"][:1]}
    files.write_json(Path("results/tables/table_vi.json"), fewer)
    commit("new")
    with pytest.raises(CellarError, match=r"table_vi of commit \w{7} \(new\) has no row 'E1'.*known: qcs"):
        diff.report(*CELL, "old", "new")


def test_a_table_that_one_commit_lacks(project: Path) -> None:
    git("rm", "--quiet", "--cached", "-r", "results/tables")
    git("commit", "--quiet", "-m", "none")
    with pytest.raises(CellarError, match=r"commit \w{7} has no table 'table_vi'; known: none"):
        diff.report(*CELL, "old", "HEAD")
