"""diff between commits of a small made-up project: the inputs that differ, and no others."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.provenance import diff

from .cell_project import RUN, TABLE, lock, stages, write

CELL = ("table_vi", "E1", "fer2013_accuracy")
STUDENT, EVALUATION, PREPARED = (
    "distill_student@fer2013-E1-seed-0",
    "evaluate_student@fer2013-E1-seed-0",
    "prepare@fer2013",
)
RECORD = Path("results/predictions/run.json")
Spoil = Callable[[dict[str, Any]], object]


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], check=True)


def commit(tag: str) -> None:
    git("add", "dvc.lock", "results/tables")
    git("commit", "--quiet", "--allow-empty", "-m", tag)
    git("tag", tag)


def state(tag: str, value: float, spoil: Spoil = lambda found: None, **run: Any) -> None:
    """A commit of the project with that value, its stages spoilt, and its record as `run` has it."""
    table = deepcopy(TABLE)
    table["rows"][1]["cells"]["fer2013_accuracy"]["value"] = value
    files.write_json(Path("results/tables/table_vi.json"), table)
    files.write_json(RECORD, RUN | run)
    found = stages()
    found[EVALUATION]["outs"][1]["md5"] = md5(RECORD.read_bytes()).hexdigest()
    spoil(found)
    lock(Path("dvc.lock"), found)
    commit(tag)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Committed as `old`, with 61.5 %."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    write()
    state("old", 61.5)
    return tmp_path


def params(found: dict[str, Any], stage: str, **values: Any) -> None:
    found[stage].setdefault("params", {})["params.yaml"] = values
    found[stage]["outs"][0]["md5"] = "77"


def changes(new: str = "new") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(diff.report(*CELL, "old", new, as_json=True))
    return found


def test_a_changed_parameter_is_told_and_nothing_else(project: Path) -> None:
    state("cool", 61.5, lambda found: params(found, STUDENT, experiments={"fer2013-E1": {"temperature": 3}}))
    state("hot", 64.0, lambda found: params(found, STUDENT, experiments={"fer2013-E1": {"temperature": 5}}))
    found = json.loads(diff.report(*CELL, "cool", "hot", as_json=True))
    assert found["stages"] == []  # the same bytes: said apart
    state("hotter", 66.0, lambda found: hot_with_other_weights(found))
    said = diff.report(*CELL, "cool", "hotter")
    assert f"{STUDENT}\n  param    experiments.fer2013-E1.temperature: 3 -> 5\n\nAll other inputs are the same." in said
    assert "cool     61.5 % (measured)" in said and "moved    by +4.5 %" in said


def hot_with_other_weights(found: dict[str, Any]) -> None:
    params(found, STUDENT, experiments={"fer2013-E1": {"temperature": 5}})
    found[STUDENT]["outs"][0]["md5"] = "88"


def test_an_input_that_changed_no_byte_is_said_apart(project: Path) -> None:
    state("new", 61.5, lambda found: found[PREPARED].update(params={"params.yaml": {"threads": 1}}))
    found = changes()
    assert (found["stages"], found["without_effect"][0]["stage"]) == ([], PREPARED)
    said = diff.report(*CELL, "old", "new")
    assert f"{PREPARED} differs too (1 params), but made the same bytes" in said
    assert "moved    no: the same number" in said


def test_code_data_and_command_are_told(project: Path) -> None:
    def spoil(found: dict[str, Any]) -> None:
        evaluation = found[EVALUATION]
        evaluation["deps"][0]["md5"] = "f" * 32
        evaluation["deps"].append({"path": "src/cellar/more.py", "md5": "1"})
        evaluation["cmd"] += " --fast"
        evaluation["outs"][0]["md5"] = "e2"
        del found["draw_faces@fer2013"]
        found[PREPARED]["deps"][0]["md5"] = "ab.dir"
        found[PREPARED]["outs"][0]["md5"] = "b2"

    state("new", 60.0, spoil)
    said = diff.report(*CELL, "old", "new")
    assert (
        "code     src/cellar/metrics/classification.py: changed\n" in said
        and "code     src/cellar/more.py: new\n" in said
    )
    assert "src/cellar/files.py" not in said
    assert "--fast" in said
    assert 'data     data/raw/faces: not there -> "ab.dir"' in said
    assert "draw_faces@fer2013\n  only     at old" in said


def test_another_machine_is_told_from_the_records(project: Path) -> None:
    before = RECORD.read_bytes()
    state("new", 61.0, lambda found: found[EVALUATION]["outs"][0].update(md5="e2"), machine={"host": "other"}, seed=1)
    unseen = changes()
    assert (unseen["stages"], unseen["unseen"]) == ([], [EVALUATION])
    assert "not compared for 1 of these stages" in diff.report(*CELL, "old", "new")
    hashed = md5(before).hexdigest()
    kept = Path(".dvc/cache/files/md5") / hashed[:2] / hashed[2:]
    files.write_text(kept, before.decode())
    assert changes()["stages"] == [
        {
            "stage": EVALUATION,
            "run": {"machine.host": ["vm", "other"], "machine.system": ["Linux", None], "seed": [0, 1]},
        }
    ]
    assert changes()["unseen"] == []


def test_the_cache_is_where_dvc_is_told_it_is(project: Path) -> None:
    before = RECORD.read_bytes()
    hashed = md5(before).hexdigest()
    files.write_text(Path("shelf/files/md5") / hashed[:2] / hashed[2:], before.decode())
    files.write_text(Path(".dvc/config.local"), "[core]\n    autostage = false\n[cache]\n    dir = ../shelf\n")
    state("new", 61.0, lambda found: found[EVALUATION]["outs"][0].update(md5="e2"), seed=1)
    assert changes()["stages"][0]["run"] == {"seed": [0, 1]}


def test_a_difference_without_a_reason_is_called_one(project: Path) -> None:
    state("new", 61.0, lambda found: found[STUDENT]["outs"][0].update(md5="d2"))
    said = diff.report(*CELL, "old", "new")
    assert f"No input that is kept differs, yet these bytes do: results/students/w ({STUDENT})" in said


def test_one_commit_and_itself(project: Path) -> None:
    assert diff.report(*CELL, "old", "HEAD").endswith("moved    no: the same number\n\nNo input differs.")


@pytest.mark.parametrize("revision", ["nowhere", "-p", "old:dvc.lock"])
def test_an_unknown_revision_is_one_line(project: Path, revision: str) -> None:
    with pytest.raises(CellarError, match="git knows no revision") as caught:
        diff.report(*CELL, "old", revision)
    assert "\n" not in str(caught.value)


def test_a_cell_that_one_commit_lacks(project: Path) -> None:
    fewer = TABLE | {"rows": TABLE["rows"][:1]}
    files.write_json(Path("results/tables/table_vi.json"), fewer)
    commit("new")
    with pytest.raises(CellarError, match=r"table_vi of commit \w{7} \(new\) has no row 'E1'.*known: qcs"):
        diff.report(*CELL, "old", "new")


def test_a_table_that_one_commit_lacks(project: Path) -> None:
    git("rm", "--quiet", "--cached", "-r", "results/tables")
    git("commit", "--quiet", "-m", "none")
    with pytest.raises(CellarError, match=r"commit \w{7} has no table 'table_vi'; known: none"):
        diff.report(*CELL, "old", "HEAD")
