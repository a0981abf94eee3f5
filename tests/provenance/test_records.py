"""Records against what they describe, and against the code that git keeps."""

import subprocess
from pathlib import Path

import pytest

from cellar import files
from cellar.engine import run_record
from cellar.provenance import recorded_code, records
from cellar.provenance.lineage import File, Stage

from .cell_project import record

STUDENT = Stage(
    "train-a-seed-0",
    "studies/s/dvc.yaml:train-a-seed-0",
    Path("studies/s/dvc.lock"),
    "train",
    {"threads": 2},
    (File("data.npz", "aa"),),
    (File("weights", "bb"),),
)


def test_a_record_has_the_study_of_its_lock_and_the_name_of_its_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert records.read(STUDENT) is None
    path = record(STUDENT)
    assert path.parent == Path("results/records/s/train-a-seed-0") and path == STUDENT.record
    read = records.read(STUDENT)
    assert read is not None and read["outputs"] == {"weights": "bb"}
    assert list(records.wrong([STUDENT])) == []


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
    files.write_text(tmp_path / "studies/one/tables.py", "# of a study\n")
    git("add", "src", "studies")
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


def test_code_of_a_study_counts(package: Path) -> None:
    before = run_record.code_hash()
    files.write_text(Path("studies/one/tables.py"), "# other\n")
    assert run_record.code_hash() != before
    assert [line.split(",")[0] for line in recorded_code.uncommitted()] == ["studies/one/tables.py: changed"]


def test_a_record_of_code_that_no_commit_has(package: Path) -> None:
    commit = git("rev-parse", "HEAD")
    path = record(STUDENT, commit=commit)
    assert list(records.wrong([STUDENT])) == [
        f"{path}: made by code that is in no commit (commit {commit[:7]} and changes, sha256 c0de); "
        "commit it, or build it again"
    ]
    record(STUDENT, commit=commit, code=run_record.code_hash())
    assert list(records.wrong([STUDENT])) == []
