"""Drawn objects: same bytes for the same seed, balanced, true to their names, easy for no linear classifier."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from cellar.config.data import SyntheticSpec
from cellar.data.readers import cifar100
from cellar.data.synthetic.objects import CLASSES, COARSE_CLASSES, COARSE_OF, draw_batch, draw_class, write_cifar100
from cellar.data.synthetic.scene import HUES, to_rgb
from cellar.data.synthetic.shape import OUTLINES, distance
from cellar.errors import CellarError
from cellar.pipeline.stages import make_synthetic


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def flat(batch: dict[bytes, object]) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(batch[b"data"], dtype=np.float32) / 255, np.asarray(batch[b"fine_labels"])


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_cifar100(tmp_path / name, seed, train=200, test=100)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert list(hashes(tmp_path / "a")) == ["meta", "test", "train"]
    first, other = hashes(tmp_path / "a"), hashes(tmp_path / "c")
    assert [name for name in first if first[name] == other[name]] == ["meta"]


def test_the_files_have_the_published_structure(tmp_path: Path) -> None:
    write_cifar100(tmp_path / "set", 3, train=200, test=100)
    content = (tmp_path / "set" / "train").read_bytes()
    batch = pickle.loads(content)  # our own bytes
    assert content[:2] == b"\x80\x02"
    assert set(batch) == {b"filenames", b"batch_label", b"fine_labels", b"coarse_labels", b"data"}
    assert batch[b"data"].shape == (200, 3072) and batch[b"data"].dtype == np.uint8
    assert np.bincount(batch[b"fine_labels"]).tolist() == [2] * 100
    assert np.bincount(batch[b"coarse_labels"]).tolist() == [10] * 20
    names = [f"{CLASSES[label]}_s_" for label in batch[b"fine_labels"]]
    assert all(file.decode().startswith(name) for file, name in zip(batch[b"filenames"], names, strict=True))


def test_a_hundred_classes_in_twenty() -> None:
    assert len(set(CLASSES)) == 100 and len(COARSE_CLASSES) == 20 and list(CLASSES) == sorted(CLASSES)
    assert COARSE_CLASSES[COARSE_OF[CLASSES.index("red_ring_striped")]] == "ring_striped"


def test_the_reader_takes_it(tmp_path: Path) -> None:
    write_cifar100(tmp_path / "set", 3, train=1000, test=100)
    found = cifar100.load(tmp_path / "set", checksums="any")
    assert found.classes == CLASSES
    counts = [np.unique(found.class_counts(split)).tolist() for split in ("train", "validation", "test")]
    assert counts == [[9], [1], [1]]
    alone = draw_class(3, "test", CLASSES.index("red_ring_striped"), 1)[0]
    row = np.flatnonzero((found.split == "test") & (found.labels == CLASSES.index("red_ring_striped")))
    assert (found.images[row[0]] == alone).all()


@pytest.mark.parametrize(("train", "test"), [(150, 100), (100, 150), (0, 100), (99, 100)])
def test_sizes_that_cannot_be_balanced_write_nothing(tmp_path: Path, train: int, test: int) -> None:
    with pytest.raises(CellarError, match="need a multiple of 100"):
        write_cifar100(tmp_path / "set", 1, train, test)
    assert list(tmp_path.iterdir()) == []


def test_no_two_pictures_are_alike() -> None:
    pictures = [row.tobytes() for split in ("train", "test") for row in flat(draw_batch(5, split, 400))[0]]
    assert len(set(pictures)) == 800


def test_the_number_of_a_class_shows_in_its_hue() -> None:
    middle = {
        hue: draw_class(1, "train", CLASSES.index(f"{hue}_disc_striped"), 80)[:, 8:24, 8:24].mean((0, 1, 2))
        for hue in HUES
    }
    red, green, blue = (middle[name] for name in ("red", "green", "blue"))
    assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2
    assert middle["yellow"].argmin() == 2 and middle["violet"].argmin() == 1


def test_hues_are_colours() -> None:
    one = np.ones((1, 1, 1), dtype=np.float32)
    colours = {name: to_rgb(degrees * one, one, one)[0, 0, 0].tolist() for name, degrees in HUES.items()}
    assert colours["red"] == [1, 0, 0] and colours["green"] == [0, 1, 0]
    assert colours["yellow"] == pytest.approx([1, 52 / 60, 0], abs=1e-5)


def test_shapes_are_what_they_are_called() -> None:
    def inside(shape: str, x: float, y: float) -> bool:
        return bool(distance(shape, np.array(x), np.array(y)) < 0)

    assert all(inside(shape, 0, 0) != (shape == "ring") for shape in OUTLINES if shape not in {"crescent"})
    assert inside("ring", 0.75, 0) and inside("crescent", -0.7, 0) and not inside("crescent", 0.5, 0)
    assert inside("square", 0.75, 0.75) and not inside("disc", 0.75, 0.75)
    assert inside("cross", 0.9, 0) and inside("cross", 0, 0.9) and not inside("cross", 0.6, 0.6)
    assert inside("hourglass", 0.5, 0.8) and not inside("hourglass", 0.5, 0)
    assert inside("triangle", 0, -0.8) and not inside("triangle", 0.6, -0.5)
    assert inside("arrow", 0.9, 0) and not inside("arrow", -0.9, 0.5)
    assert inside("heart", 0.4, -0.6) and not inside("heart", 0, -0.75)
    assert distance("disc", np.array(1.4), np.array(0.0)) == pytest.approx(0.5, abs=0.02)


def test_pixels_alone_tell_little() -> None:
    """Above chance, 1 %, and far from what a network that looks for shapes can reach."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.neighbors import NearestCentroid

    (pixels, labels), (new, truth) = flat(draw_batch(3, "train", 1500)), flat(draw_batch(3, "test", 500))
    assert 0.03 < RidgeClassifier(alpha=1000).fit(pixels, labels).score(new, truth) < 0.3
    assert 0.02 < NearestCentroid().fit(pixels, labels).score(new, truth) < 0.2


def stage(**spec: int) -> dict[str, object] | None:
    settings = make_synthetic.Settings(
        dataset="mine", path="drawn", layout="cifar100", spec=SyntheticSpec(seed=1, **spec)
    )
    return make_synthetic.run(settings)


def test_the_stage_draws_where_its_settings_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert stage(train=200, test=100) == {"seed": 1}
    assert sorted(file.name for file in (tmp_path / "drawn").iterdir()) == ["meta", "test", "train"]


def test_the_stage_refuses_a_split_that_the_layout_has_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        CellarError, match=r"datasets\.mine\.source\.synthetic\.validation: .*validation_fraction"
    ) as caught:
        stage(train=200, validation=100, test=100)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []
