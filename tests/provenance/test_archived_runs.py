"""The commits that archived runs name, the archived runs of this repository, and its size."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from cellar import files, paths
from cellar.cli import main
from cellar.provenance import git
from cellar.provenance.archive import layout

from . import archived_run

ROOT = Path(__file__).parents[2]
# Of a student that people may want to use.
WEIGHTS, NETWORK, CARD = (f"runs/fer2013-scratch_c.{kind}" for kind in ("safetensors", "onnx", "md"))
MOST_OF_RUNS, MOST_OF_WEIGHTS, MOST_OF_THE_REST = 6_000_000, 5_100_000, 8_000_000  # bytes


def repository(*branches: str) -> dict[str, str]:
    """A repository here with one commit a branch, each on the one before; branch -> commit."""
    commits = {}
    subprocess.run(["git", "init", "--quiet", "-b", branches[0]], check=True)
    for branch in branches:
        subprocess.run(["git", "switch", "--quiet", "-C", branch], check=True)
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", branch], check=True)
        commits[branch] = git.git("rev-parse", "HEAD")
    return commits


def test_a_commit_must_be_on_main(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    archived_run.write_project()
    commits = repository("main", "other")
    archived_run.write_archive(commits["main"])
    assert main(["verify", "runs/mine"]) == 0
    archived_run.write_archive(commits["other"])
    assert main(["verify", "runs/mine"]) == 1
    assert f"runs/mine/lock.json: commit {commits['other']} is not an ancestor of main" in capsys.readouterr().out


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    return ROOT


def test_the_archived_runs_of_this_repository_verify(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(paths.RUNS)]) == 0, capsys.readouterr().out
    assert len(layout.archives()) >= 11


def test_runs_of_an_earlier_history_say_so(project: Path) -> None:
    for archive in layout.archives():
        if archive.lock.commit is None:
            page = (archive.folder / layout.README).read_text()
            assert "are not in this repository: it was made in an earlier history of the project." in page
            commits = {record["commit"] for record in archive.records.values() if record.get("commit")}
            assert commits and not any(git.git("rev-parse", "--verify", "--quiet", f"{c}^{{commit}}") for c in commits)


def test_the_repository_is_small(project: Path) -> None:
    sizes = {name: Path(name).lstat().st_size for name in git.git("ls-files").splitlines() if Path(name).is_file()}
    runs = sum(size for name, size in sizes.items() if name.startswith("runs/") and name not in (WEIGHTS, NETWORK))
    rest = sum(size for name, size in sizes.items() if not name.startswith(("runs/", "tests/reference/")))
    assert 0 < runs <= MOST_OF_RUNS and 0 < rest <= MOST_OF_THE_REST
    assert all(0 < sizes[name] <= MOST_OF_WEIGHTS for name in (WEIGHTS, NETWORK))


def test_the_weights_beside_the_runs_are_those_of_their_run(project: Path) -> None:
    lock = files.read_json(paths.RUNS / "fer2013_long" / "lock.json")
    md5 = hashlib.md5(Path(WEIGHTS).read_bytes()).hexdigest()
    assert f'"results/students/mini_resemotenet/fer2013-scratch_c/seed-0/weights.safetensors": "{md5}"' in json.dumps(
        lock
    )


def test_the_card_of_the_exported_student_names_these_weights(project: Path) -> None:
    assert f"SHA-256 `{hashlib.sha256(Path(WEIGHTS).read_bytes()).hexdigest()}`" in Path(CARD).read_text()
