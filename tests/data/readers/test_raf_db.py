"""RAF-DB's documented layout, the held-out tenth, and what is said of files unlike it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.data.faces import EMOTIONS
from cellar.data.readers import raf_db
from cellar.errors import CellarError


def test_images_labels_and_splits(drawn: Path) -> None:
    found = raf_db.load(drawn / "raf_db", validation_fraction=0.2)
    assert found.images.shape == (197, 100, 100, 3) and found.images.dtype == np.uint8
    assert {split: sum(counts.values()) for split, counts in found.counts().items()} == {
        "train": 96,
        "validation": 24,
        "test": 77,
    }
    assert found.split.tolist() == ["train"] * 96 + ["validation"] * 24 + ["test"] * 77
    assert len(found.sources) == 198 and "EmoLabel/list_patition_label.txt" in found.sources


def test_every_label_gets_its_place(tmp_path: Path) -> None:
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "Image/aligned").mkdir(parents=True)
    lines = []
    for part in ("test", "train"):
        for number in range(1, 71):
            name, label = f"{part}_{number:05d}", (number - 1) % 7 + 1
            Image.new("RGB", (100, 100), (label * 30, 0, 0)).save(tmp_path / f"Image/aligned/{name}_aligned.jpg")
            lines.append(f"{name}.jpg {label}\n")
    (tmp_path / "EmoLabel/list_patition_label.txt").write_text("".join(lines))
    found = raf_db.load(tmp_path)
    # the list: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral
    expected = {
        "surprise": 30,
        "fear": 60,
        "disgust": 90,
        "happy": 120,
        "sad": 150,
        "anger": 180,
        "neutral": 210,
    }
    for name, red in expected.items():
        shown = found.images[found.labels == EMOTIONS.index(name)][:, :, :, 0]
        assert len(shown) == 20 and np.abs(shown.astype(int) - red).max() <= 2
    assert set(found.counts()["validation"].values()) == {1}


def test_held_out_part_depends_on_its_seed_only(drawn: Path) -> None:
    one, again, other = (raf_db.load(drawn / "raf_db", split_seed=seed) for seed in (0, 0, 1))
    assert (one.images == again.images).all()
    assert (one.images != other.images).any()
    assert one.counts() == other.counts()


def relist(change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        file = folder / "EmoLabel/list_patition_label.txt"
        lines = file.read_text().splitlines()
        change(lines)
        file.write_text("\n".join(lines))

    return apply


def remove_two(folder: Path) -> None:
    for name in ("test_00003", "train_00002"):
        (folder / f"Image/aligned/{name}_aligned.jpg").unlink()


def aligned(folder: Path, name: str) -> Path:
    return folder / f"Image/aligned/{name}_aligned.jpg"


BROKEN: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no list": (
        lambda f: (f / "EmoLabel/list_patition_label.txt").unlink(),
        ["list_patition_label.txt does not exist", "RAF-DB"],
    ),
    "bad line": (relist(lambda ls: ls.__setitem__(3, "train_00004.jpg")), ["line 4", "train_00004.jpg"]),
    "bad name": (relist(lambda ls: ls.__setitem__(3, "face.jpg 3")), ["line 4", "face.jpg 3"]),
    "unknown label": (relist(lambda ls: ls.__setitem__(2, "train_00003.jpg 8")), ["line 3", "'8'", "1 to 7"]),
    "twice": (relist(lambda ls: ls.append(ls[0])), ["line 198", "twice"]),
    "images missing": (remove_two, ["2 of 197", "test_00003_aligned.jpg"]),
    "wrong size": (
        lambda f: Image.new("RGB", (99, 100)).save(aligned(f, "train_00001")),
        ["99x100", "100x100"],
    ),
    "unreadable": (lambda f: aligned(f, "test_00001").write_bytes(b"no"), ["test_00001", "not a readable"]),
    "no test": (relist(lambda ls: ls.__delitem__(slice(120, None))), ["no test image"]),
    "class gone": (
        relist(lambda ls: ls.__setitem__(slice(None), [x for x in ls if not x.endswith(" 2")])),
        ["fear", "train"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_sets_are_one_line(raf_folder: Path, case: str) -> None:
    damage, words = BROKEN[case]
    damage(raf_folder)
    with pytest.raises(CellarError) as caught:
        raf_db.load(raf_folder)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_too_small_a_fraction_is_named(drawn: Path) -> None:
    with pytest.raises(CellarError, match="validation_fraction"):
        raf_db.load(drawn / "raf_db", validation_fraction=0.01)
