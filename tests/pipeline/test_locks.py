"""Entries of stages that are gone leave dvc.lock; the bytes of the others stay."""

from pathlib import Path

from cellar.pipeline import locks

HEAD = "schema: '2.0'\nstages:\n"
ONE = "  prepare-a:\n    cmd: x\n    deps:\n    - path: p\n      md5: 1\n"
OTHER = "  train-b:\n    cmd: y\n    params:\n      f.json:\n        train-b:\n          lr: 1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "dvc.lock"
    path.write_text(text)
    return path


def test_the_entry_of_a_stage_that_is_gone_is_dropped(tmp_path: Path) -> None:
    lock = written(tmp_path, HEAD + ONE + OTHER)
    assert locks.prune(lock, ["train-b"]) == ["prepare-a"]
    assert lock.read_text() == HEAD + OTHER


def test_a_lock_whose_stages_are_all_planned_is_not_written(tmp_path: Path) -> None:
    lock = written(tmp_path, HEAD + ONE + OTHER)
    before = lock.stat().st_mtime_ns
    assert locks.prune(lock, ["prepare-a", "train-b", "another"]) == []
    assert lock.read_text() == HEAD + ONE + OTHER and lock.stat().st_mtime_ns == before


def test_a_lock_without_stages_is_removed(tmp_path: Path) -> None:
    lock = written(tmp_path, HEAD + ONE)
    assert locks.prune(lock, []) == ["prepare-a"]
    assert not lock.exists() and locks.prune(lock, []) == []
