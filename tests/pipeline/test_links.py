"""Folders that are links to another disk: outputs behind one are refused before anything runs, data is read there."""

import re
from pathlib import Path

import pytest

from cellar import paths
from cellar.errors import CellarError


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another disk; the current folder is a project."""
    (tmp_path / "project").mkdir()
    (tmp_path / "disk").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "disk"


@pytest.mark.parametrize(
    ("link", "output"),
    [
        ("data", "data/prepared/fer2013/arrays.npz"),
        ("data/prepared", "data/prepared/fer2013/arrays.npz"),
        ("results", "results/tables/table_vi.md"),
        ("results/resolved", "results/resolved"),
        ("data/raw", "data/raw/sample/fer2013"),
    ],
)
def test_an_output_behind_a_link_is_refused(disk: Path, link: str, output: str) -> None:
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(disk)
    with pytest.raises(
        CellarError, match=re.escape(f"{link} is a link to {disk}, and DVC keeps no outputs there")
    ) as caught:
        paths.check_not_linked(["params.yaml", output])
    assert ("link only what is read" in str(caught.value)) is (link in ("data", "data/raw"))


def test_files_that_dvc_links_to_its_cache_are_not(disk: Path) -> None:
    (disk / "object").write_text("")
    Path("results").mkdir()
    Path("results/weights.safetensors").symlink_to(disk / "object")
    Path(".dvc").mkdir()
    Path(".dvc/cache").symlink_to(disk)
    outputs = ["results/weights.safetensors", "results/tables/table_vi.md"]
    assert [link for path in outputs for link in paths.links_to(path)] == []
    paths.check_not_linked(outputs)
