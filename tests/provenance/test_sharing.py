"""`cellar push` and `cellar pull` carry results and the records of their runs to a remote and back."""

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.provenance import lineage, sharing

DVC_YAML = """\
stages:
  make:
    cmd: echo made > made.txt
    outs:
      - made.txt
"""
RECORD = {"host": "here"}


def dvc(*words: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("dvc")), *words], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one built stage, the record of its run, a record of another run, and a folder as its remote."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    dvc("init", "--quiet")
    dvc("remote", "add", "--default", "shelf", str(tmp_path / "shelf"))
    (folder / "dvc.yaml").write_text(DVC_YAML)
    dvc("repro", "--quiet")
    files.write_json(record(), RECORD)
    files.write_json(record().with_name("another.json"), {"host": "elsewhere"})
    return folder


def record() -> Path:
    return lineage.load().stages[0].record


def forget(folder: Path) -> None:
    """As a fresh clone is: without results, cache and records."""
    for path in (folder / ".dvc/cache", folder / "results/records"):
        shutil.rmtree(path)
    (folder / "made.txt").unlink()


def test_results_and_the_records_of_their_runs_come_back(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sharing.push(None) == 0
    forget(project)
    assert sharing.pull("shelf") == 0
    assert (project / "made.txt").read_text() == "made\n" and files.read_json(record()) == RECORD
    assert not record().with_name("another.json").exists(), "of a run that no lock describes"
    assert "2 records" in capsys.readouterr().out


def test_what_is_there_is_not_sent_again(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sharing.push(None)
    capsys.readouterr()
    assert sharing.push(None) == 0 and "0 records" in capsys.readouterr().out


def test_a_remote_without_the_results_sends_no_record(project: Path) -> None:
    forget(project)
    assert sharing.pull(None) != 0 and not record().exists()


def test_a_full_disk_is_called_so_and_leaves_no_half_record(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the next pull would take the half for a record that is here."""
    sharing.push(None)
    forget(project)
    write = Path.write_text

    def fail(path: Path, text: str, encoding: str | None = None) -> int:
        write(path, text[:3], encoding)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(CellarError, match=r"^cannot write results/records/.*: No space left on device; free space"):
        sharing.pull(None)
    assert not [path for path in Path("results").rglob("*") if path.is_file()]


def test_an_unknown_remote_is_one_line(project: Path) -> None:
    with pytest.raises(CellarError, match=r"records: the remote nowhere cannot be reached \(.*nowhere"):
        sharing.pull("nowhere")
