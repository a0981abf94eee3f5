"""The temporary checkout of an experiment (`dvc exp run --temp`, `--queue`): what it shares with the checkout it belongs to."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cellar import paths
from cellar.pipeline.stages import resolve


@pytest.mark.parametrize(
    "folder", [".dvc/tmp/exps/tmpabc", ".dvc/tmp/exps/standalone/tmpabc", ".dvc/tmp/exps/tmpabc/src"]
)
def test_a_temporary_checkout_is_told_from_its_place(folder: str) -> None:
    assert paths.checkout(Path("/home/me/cellar") / folder) == Path("/home/me/cellar")


@pytest.mark.parametrize("folder", ["/home/me/cellar", "/home/me/cellar/.dvc/tmp", "/home/me/dvc/tmp/exps/x"])
def test_any_other_folder_is_none(folder: str) -> None:
    assert paths.checkout(Path(folder)) is None


def test_raw_data_and_weights_are_read_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data/raw/mine/train").mkdir(parents=True)
    (tmp_path / "published.pth").write_bytes(b"weights")
    (tmp_path / "made.npz").write_bytes(b"old")
    temporary = tmp_path / ".dvc/tmp/exps/tmpabc"
    temporary.mkdir(parents=True)
    monkeypatch.chdir(temporary)
    monkeypatch.setattr(paths, "EXPERIMENT_OF", tmp_path)
    stages = [
        SimpleNamespace(inputs=("data/raw/mine", "absent"), outputs=("made.npz",)),
        SimpleNamespace(inputs=("made.npz", "published.pth"), outputs=()),
    ]
    resolve.link_raw_files(stages)
    assert Path("data/raw/mine").resolve() == tmp_path / "data/raw/mine"
    assert Path("published.pth").read_bytes() == b"weights"
    assert not Path("made.npz").exists() and not Path("absent").is_symlink()
