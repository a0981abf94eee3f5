"""arrays.npz and manifest.json: written, read back, and refused when they disagree."""

import json
from pathlib import Path

import numpy as np
import pytest

from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import fer2013
from cellar.errors import CellarError


@pytest.fixture
def small() -> ImageSet:
    images = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
    split = np.array(["train", "train", "train", "validation", "test"])
    return ImageSet(images, np.array([1, 0, 1, 0, 1]), split, ("cat", "dog"), {"a.png": "0" * 64})


def test_what_is_saved_is_loaded(drawn: Path, tmp_path: Path) -> None:
    before = fer2013.load(drawn / "fer2013")
    prepared.save(before, tmp_path / "p", dataset="fer2013", layout="fer2013")
    after = prepared.load(tmp_path / "p")
    assert (after.images == before.images).all() and (after.labels == before.labels).all()
    assert (after.split == before.split).all() and after.classes == before.classes
    assert after.sources == before.sources and after.counts() == before.counts()


def test_manifest_says_what_is_in_the_arrays(small: ImageSet, tmp_path: Path) -> None:
    prepared.save(small, tmp_path, dataset="pets", layout="image_folder")
    assert json.loads((tmp_path / "manifest.json").read_text()) == {
        "dataset": "pets",
        "layout": "image_folder",
        "classes": ["cat", "dog"],
        "image_shape": [2, 3],
        "counts": {
            "train": {"cat": 1, "dog": 2},
            "validation": {"cat": 1, "dog": 0},
            "test": {"cat": 0, "dog": 1},
        },
        "sources": {"a.png": "0" * 64},
    }


def test_same_set_same_bytes(small: ImageSet, tmp_path: Path) -> None:
    for name in ("a", "b"):
        prepared.save(small, tmp_path / name, dataset="pets", layout="image_folder")
    for file in ("arrays.npz", "manifest.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_no_manifest_stands_beside_arrays_that_are_not_its_own(
    small: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.save(small, tmp_path, dataset="pets", layout="image_folder")

    def fail(*_: object, **__: object) -> None:
        raise CellarError("disk full")

    monkeypatch.setattr(prepared, "write_arrays", fail)
    with pytest.raises(CellarError, match="disk full"):
        prepared.save(small, tmp_path, dataset="pets", layout="image_folder")
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("classes", ["cat"]), ("image_shape", [2, 4]), ("counts", {}), ("sources", 3), ("classes", None)],
)
def test_a_manifest_at_odds_with_the_arrays_is_refused(
    small: ImageSet, tmp_path: Path, key: str, value: object
) -> None:
    prepared.save(small, tmp_path, dataset="pets", layout="image_folder")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {key: value}))
    with pytest.raises(CellarError, match="disagree"):
        prepared.load(tmp_path)


# NumPy leaves the file of a broken archive to the garbage collector, which warns
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_cut_arrays_are_refused(small: ImageSet, tmp_path: Path) -> None:
    prepared.save(small, tmp_path, dataset="pets", layout="image_folder")
    arrays = tmp_path / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-40])
    with pytest.raises(CellarError, match=r"arrays\.npz"):
        prepared.load(tmp_path)


def test_nothing_there_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match=r"manifest\.json does not exist; build it"):
        prepared.load(tmp_path / "p")
