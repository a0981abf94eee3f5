"""Hashes of content are those that DVC computes."""

from pathlib import Path
from typing import Any

import pytest

from cellar.data.foreign import SYSTEM_FILES, is_system_file
from cellar.pipeline import content
from tests.conftest import ROOT

LEFT_BEHIND = (".DS_Store", "b/Thumbs.db", "b/thumbs.db", "desktop.ini", "b/._c.txt", "__MACOSX/a.txt", "@eaDir/a.txt",
    "b/.ipynb_checkpoints/c-checkpoint.txt", "$RECYCLE.BIN/x", "System Volume Information/x")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"a.txt": "one", "b/c.txt": "two", "é.txt": "drei", "a-b/d.txt": "four"}.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "data"


def dvc_hash(path: Path) -> str:
    """As DVC's own library computes it."""
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs.local import LocalFileSystem

    fs = LocalFileSystem()
    _, _, built = build(HashFileDB(fs, str(path.parent / "odb")), str(path), fs, "md5", dry_run=True)
    return str(built.hash_info.value)


def test_of_a_file(folder: Path) -> None:
    assert content.md5(folder / "a.txt") == "f97c5d29941bfb1b2fdab0874906ab82" == dvc_hash(folder / "a.txt")


def test_of_a_folder(folder: Path) -> None:
    assert content.md5(folder) == dvc_hash(folder)


def test_marks_and_caches_in_a_folder_do_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    Path(".dvcignore").write_text((ROOT / ".dvcignore").read_text())
    before = content.md5(folder)
    (folder / ".snakemake_timestamp").write_text("")
    (folder / "b/__pycache__").mkdir()
    (folder / "b/__pycache__/c.pyc").write_bytes(b"x")
    assert content.md5(folder) == before


def test_files_of_desktops_and_servers_count_neither_here_nor_for_dvc(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC itself, with the project's .dvcignore, sees the same folder before and after, and a change all the same."""
    from dvc.repo import Repo

    monkeypatch.chdir(folder.parent)
    Path(".dvcignore").write_text((ROOT / ".dvcignore").read_text())
    before = content.md5(Path("data")), dvc_add(Repo.init(no_scm=True))
    assert before[0] == before[1]
    for name in LEFT_BEHIND:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("left behind")
    assert (content.md5(Path("data")), dvc_add(Repo())) == before
    (folder / "b" / "new.txt").write_text("five")
    assert content.md5(Path("data")) == dvc_add(Repo()) != before[0]


def dvc_add(repo: Any) -> str:
    [stage] = repo.add("data")
    repo.close()
    return str(stage.outs[0].hash_info.value)


def test_dvcignore_has_the_list_of_the_code() -> None:
    lines = (ROOT / ".dvcignore").read_text().splitlines()
    assert lines[lines.index(SYSTEM_FILES[0]) :] == list(SYSTEM_FILES)


def test_files_of_the_user_are_none_of_the_system() -> None:
    names = ("train", "a.jpg", "_labels.csv", "System.png", "thumbs.png", ".hidden", "data.db")
    assert [name for name in names if is_system_file(name)] == []
