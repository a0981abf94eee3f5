"""Plans are refused where the outputs of a weights file cannot be bound to the classes of its data set."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.errors import CellarError
from cellar.pipeline.stages import import_teacher

KEY = "studies.mini_resemotenet.teachers.own.classes"


def plan(tmp_path: Path, layout: dict[str, Any], classes: object = None) -> int:
    """How many imports are planned, with a teacher `own` of published weights on a data set `own`."""
    raw = yaml.safe_load(Path("params.yaml").read_text())
    given = {"path": str(tmp_path / "faces"), "augmentation": "flip", "normalisation": "imagenet"}
    raw["datasets"]["own"] = {"enabled": True, "input_size": 48, "source": {"manual": "mine"}, **given, **layout}
    teacher = {"dataset": "own", "model": "resemotenet_c", "recipe": "teacher", "weights": "published.pth"}
    raw["studies"]["mini_resemotenet"]["teachers"]["own"] = teacher | ({"classes": classes} if classes else {})
    return len(list(import_teacher.jobs(config.validate(raw, lambda key: Path("params.yaml")))))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("angry", "happy", "sad"):
        for split in ("train", "test"):
            (tmp_path / "faces" / split / name).mkdir(parents=True)
    return tmp_path


PERSONS = {"layout": "identity_folder", "train_per_class": 1, "validation_per_class": 0}


def test_folders_need_the_order_of_the_outputs(folders: Path) -> None:
    with pytest.raises(CellarError) as caught:
        plan(folders, {"layout": "image_folder"})
    assert f"{KEY}: missing; layout image_folder sorts its classes by name: angry, happy, sad" in str(caught.value)
    with pytest.raises(CellarError, match="missing"):
        plan(folders, PERSONS)
    with pytest.raises(CellarError, match="missing"):
        plan(folders / "not there yet", {"layout": "image_folder"})


def test_folders_with_the_order_of_the_outputs(folders: Path) -> None:
    assert plan(folders, {"layout": "image_folder"}, ["sadness", "anger", "Happiness"]) == 1
    assert plan(folders, {"layout": "image_folder"}, "as_dataset") == 1
    assert plan(folders / "not there yet", {"layout": "image_folder"}, ["any", "names"]) == 1


def test_a_layout_with_an_order_of_its_own_needs_none(tmp_path: Path) -> None:
    assert plan(tmp_path, {"layout": "fer2013"}) == plan(tmp_path, {"layout": "raf_db"}) == 1


def test_names_that_do_not_match_are_refused_with_both_lists(folders: Path) -> None:
    with pytest.raises(CellarError) as caught:
        plan(folders, {"layout": "image_folder"}, ["happy", "sad", "contempt"])
    assert f"{KEY}: contempt has no counterpart" in str(caught.value)
    assert "outputs: happy, sad, contempt; the data set's classes: angry, happy, sad" in str(caught.value)
    with pytest.raises(CellarError, match=r"happy has no counterpart|outputs: cat, dog"):
        plan(folders, {"layout": "fer2013"}, ["cat", "dog"])
