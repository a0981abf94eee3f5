"""Hashes of content are those that DVC computes."""

from pathlib import Path

import pytest

from cellar.pipeline import content


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


def test_marks_and_caches_in_a_folder_do_not_count(folder: Path) -> None:
    before = content.md5(folder)
    (folder / ".snakemake_timestamp").write_text("")
    (folder / "b/__pycache__").mkdir()
    (folder / "b/__pycache__/c.pyc").write_bytes(b"x")
    assert content.md5(folder) == before
