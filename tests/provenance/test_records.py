"""Records against dvc.lock and against the code that git keeps."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.engine import run_record
from cellar.provenance import recorded_code, records
from cellar.provenance.lineage import File, Stage

RECORD = Path("run.json")
COMMAND = "python -m cellar distill_student pins-kd --seed 3"
LOCKED = {
    "threads": 2,
    "recipes.pins": {"epochs": 8, "schedule": {"step": {"every": 5}}},
    "experiments.pins-kd.temperature": 3,
    "experiments.pins-kd.input_size": 128,
    "teachers.pins-kd.input_size": 146,  # a teacher of the same name
    "datasets.pins.normalisation": "unit",
    "datasets.pins.input_size": 146,  # the teacher's
}
RECORDED = {
    "line": {"temperature": 3, "input_size": 128},
    "recipe": {"epochs": 8, "schedule": {"step": {"every": 5}, "plateau": None}, "betas": None},
    "input_size": 128,
    "normalisation": "unit",
    "threads": 2,
}


def said_of(recorded: dict[str, Any] = RECORDED, **more: Any) -> list[str]:
    stage = Stage("s", "distill_student@pins-kd-seed-3", Path("dvc.lock"), COMMAND, LOCKED, (), ())
    return list(records.wrong_settings(RECORD, {"params": recorded, **more}, stage))


def test_a_record_that_tells_the_same_parameters_in_its_own_words() -> None:
    assert said_of(command=COMMAND, seed=3) == []


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        (RECORDED | {"threads": 1}, "threads was 1, dvc.lock has 2"),
        (RECORDED | {"line": {"temperature": 4, "input_size": 128}}, "experiments.pins-kd.temperature was 4"),
        (RECORDED | {"line": {"temperature": 3, "input_size": 64}}, "experiments.pins-kd.input_size was 64"),
        (RECORDED | {"recipe": {"epochs": 9}}, "recipes.pins.epochs was 9, dvc.lock has 8"),
        (RECORDED | {"recipe": {"schedule": {"step": {"every": 6}}}}, "recipes.pins.schedule.step.every was 6"),
        (RECORDED | {"normalisation": "imagenet"}, "datasets.pins.normalisation was imagenet"),
    ],
)
def test_a_record_of_another_parameter(recorded: dict[str, Any], words: str) -> None:
    said = said_of(recorded)
    assert len(said) == 1 and words in said[0] and said[0].startswith("run.json: says ")


def test_a_record_of_another_seed_or_another_command() -> None:
    assert said_of(seed=4) == ["run.json: says seed 4, dvc.lock has 3 (distill_student@pins-kd-seed-3)"]
    assert "says it was made by 'python -m cellar other'" in said_of(command="python -m cellar other")[0]


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in a git of its own, committed once; provenance takes it for the one that runs."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "src/cellar"
    monkeypatch.setattr(run_record, "__file__", str(folder / "engine/run_record.py"))
    for name in ("b.py", "a/z.py", "a-b.py", "é.py", "notes.txt"):
        files.write_text(folder / name, f"# {name}\n")
    git("init", "--quiet")
    git("add", "src")
    git("commit", "--quiet", "-m", "one")
    return folder


def test_the_code_of_a_commit_has_the_hash_that_a_run_notes(package: Path) -> None:
    assert recorded_code.code_hash(git("rev-parse", "HEAD"), {}) == run_record.code_hash()
    assert recorded_code.code_hash("", {}) == recorded_code.code_hash("0" * 40, {}) == ""


def test_code_is_looked_for_in_all_commits(package: Path) -> None:
    first, one = run_record.code_hash(), git("rev-parse", "HEAD")
    files.write_text(package / "b.py", "# other\n")
    never = run_record.code_hash()
    assert recorded_code.unknown([(first, one), (never, one)]) == {never}
    assert list(recorded_code.uncommitted()) == [
        "src/cellar/b.py: changed, and not committed; a number made with it could not be traced: git add and commit it"
    ]
    git("commit", "--quiet", "--all", "-m", "two")
    assert recorded_code.unknown([(first, ""), (never, one)]) == set()
    assert list(recorded_code.uncommitted()) == []


def test_new_and_deleted_sources_are_called_so(package: Path) -> None:
    (package / "b.py").unlink()
    files.write_text(package / "c.py", "")
    files.write_text(package / "more.txt", "")
    said = list(recorded_code.uncommitted())
    assert [line.split(",")[0] for line in said] == ["src/cellar/b.py: deleted", "src/cellar/c.py: new"]


def test_a_record_of_code_that_no_commit_has(package: Path) -> None:
    commit = git("rev-parse", "HEAD")
    files.write_json(RECORD, {"inputs": {}, "outputs": {}, "code": "c0de", "commit": commit})
    stage = Stage("s", "s", Path("dvc.lock"), "x", {}, (), (File("run.json", "aa"),))
    assert list(records.wrong([stage], {})) == [
        f"run.json: made by code that is in no commit (commit {commit[:7]} and changes, sha256 c0de); "
        "commit it, or build it again"
    ]
