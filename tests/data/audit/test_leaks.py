"""What drop_leaked leaves out, and what prepare says of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellar import files
from cellar.config import Dataset
from cellar.data.audit import duplicates
from cellar.data.audit.leaks import without_leaking
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import fer2013
from cellar.data.synthetic.sample import write_fer2013
from cellar.errors import CellarError
from cellar.pipeline.stages import prepare

from .conftest import MakeSet, Paint


def planted(paint: Paint, image_set: MakeSet) -> ImageSet:
    """Train 2, train 5 mirrored and validation 12 are test images too."""
    images = paint(20, 11)
    images[15], images[16], images[17] = images[2], images[5][:, ::-1], images[12]
    return image_set(images, [0, 1] * 10, train=10, validation=4, test=6)


def test_copies_of_test_images_go_and_no_other(paint: Paint, image_set: MakeSet) -> None:
    before = replace(planted(paint, image_set), files=tuple(f"{row}.png" for row in range(20)))
    after, dropped = without_leaking(before, "pets")
    rows = [row for row in range(20) if row not in (2, 5, 12)]
    assert dropped == {"train": 2, "validation": 1}
    assert (after.images == before.images[rows]).all() and (after.labels == before.labels[rows]).all()
    assert (after.split == before.split[rows]).all() and after.files == tuple(f"{row}.png" for row in rows)
    assert not duplicates.find(after.images).leaked(after.split).any()


def test_a_class_must_keep_a_training_image(paint: Paint, image_set: MakeSet) -> None:
    images = paint(8, 12)
    images[5] = images[1]
    made = image_set(images, [0, 1, 0, 0, 0, 0, 1, 0], train=4, test=4)
    with pytest.raises(CellarError, match=r"^datasets\.pets: drop_leaked leaves no training image of class dog; set"):
        without_leaking(made, "pets")


@pytest.mark.parametrize("asked", [False, True])
def test_prepare_drops_what_is_asked_and_says_so(
    raw: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(raw["datasets"]["fer2013"]["path"])
    write_fer2013(folder, seed=3, train=84, validation=70, test=77)
    leak(folder)
    whole = fer2013.load(folder)
    raw["datasets"]["fer2013"]["drop_leaked"] = asked
    section = Dataset.model_validate(raw["datasets"]["fer2013"])
    prepare.run(prepare.Settings(dataset="fer2013", section=section))
    made, manifest = (
        prepared.load(Path("data/prepared/fer2013")),
        files.read_json(Path("data/prepared/fer2013/manifest.json")),
    )
    leaking = duplicates.find(whole.images).leaking(whole.split)
    assert leaking.any()
    assert len(made) == len(whole) - (leaking.sum() if asked else 0)
    assert ("dropped_as_leaked" in manifest) == asked
    if asked:
        assert sum(manifest["dropped_as_leaked"].values()) == leaking.sum()
        assert np.array_equal(made.images, whole.images[~leaking])


def leak(folder: Path) -> None:
    """The first test image of every class overwrites a training image of that class."""
    for emotion in (folder / "test").iterdir():
        private = sorted(emotion.glob("PrivateTest_*"))[0]
        sorted((folder / "train" / emotion.name).iterdir())[0].write_bytes(private.read_bytes())
