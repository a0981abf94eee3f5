"""The outputs of a weights file are bound to the classes of a data set by their names."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cellar import models
from cellar.config import Teacher
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.errors import CellarError
from cellar.files import read_tensors
from cellar.models import outputs
from cellar.pipeline.stages import import_teacher

PUBLISHED = ["happy", "surprise", "sad", "angry", "disgust", "fear", "neutral"]  # the outputs, in the published order
SORTED = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")  # as folders are listed
AS_NOUNS = ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")


def prepare(classes: tuple[str, ...]) -> None:
    labels = np.arange(len(classes))
    images = np.zeros((len(classes), 16, 16), np.uint8)
    split = np.array(["test"] * len(classes), dtype="U10")
    prepared.save(ImageSet(images, labels, split, classes), Path("data/prepared/own"), "own", "image_folder")


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint whose output k has the bias k."""
    root = Path.cwd()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").symlink_to(root / "src")
    state = models.build("resemotenet_c", 7).state_dict()
    state["fc4.bias"] = torch.arange(7.0)
    state["fc4.weight"] = torch.arange(7.0)[:, None].expand(7, 32).contiguous()
    torch.save({"model_state_dict": state}, "published.pth")
    return tmp_path


def imported(**more: Any) -> list[float]:
    """The biases of the last layer, in the order of the data set's classes."""
    file = str(models.file_of("resemotenet_c"))
    common = {"key": "x", "seed": 0, "dataset": "own", "model": "resemotenet_c", "model_file": file, "threads": 1}
    given = {"layout": "image_folder", "input_size": 16, "weights": "published.pth", "normalisation": "imagenet"}
    import_teacher.run(import_teacher.Settings(**{**common, **given, **more}))
    state = read_tensors(Path("results/teachers/x/seed-0/weights.safetensors"))
    assert state["fc4.weight"][:, 5].tolist() == state["fc4.bias"].tolist()
    return [float(value) for value in state["fc4.bias"]]


@pytest.mark.parametrize("classes", [SORTED, AS_NOUNS, tuple(name.upper() for name in SORTED)])
def test_outputs_follow_the_names(published: Path, classes: tuple[str, ...]) -> None:
    prepare(classes)
    # anger is the published output 3, disgust 4, fear 5, happy 0, neutral 6, sad 2, surprise 1
    assert imported(classes=PUBLISHED) == [3, 4, 5, 0, 6, 2, 1]


def test_the_data_sets_own_order_leaves_outputs_as_they_are(published: Path) -> None:
    prepare(SORTED)
    assert imported(classes="as_dataset") == [0, 1, 2, 3, 4, 5, 6]


def test_without_a_list_the_layout_has_an_order_of_its_own(published: Path) -> None:
    prepare(("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral"))
    assert imported(layout="fer2013") == [0, 1, 2, 3, 4, 5, 6]


def test_numbers_mean_something_only_where_the_layout_says_so(published: Path) -> None:
    """RAF-DB's 1 is surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral."""
    prepare(SORTED)
    assert imported(classes=list("1234567"), layout="raf_db") == [5, 2, 1, 3, 6, 4, 0]
    prepare(tuple("1234567"))
    with pytest.raises(CellarError, match=r"happy has no counterpart .*1, 2, 3, 4, 5, 6, 7\); .*raf_db"):
        imported(classes=PUBLISHED)


def test_another_number_of_outputs_is_said(published: Path) -> None:
    prepare((*SORTED, "contempt"))
    with pytest.raises(CellarError, match=r"published\.pth has 7 outputs, but own has 8 classes \(angry, .*contempt\)"):
        imported(classes=PUBLISHED)


def test_names_without_counterpart_are_refused_with_both_lists(published: Path) -> None:
    prepare((*SORTED[:-1], "contempt"))
    with pytest.raises(CellarError) as caught:
        imported(classes=PUBLISHED)
    line = str(caught.value)
    assert line.startswith("teachers.x.classes in params.yaml: surprise has no counterpart")
    assert ", ".join(PUBLISHED) in line and ", ".join((*SORTED[:-1], "contempt")) in line and "\n" not in line
    assert not Path("results").exists()


def test_two_names_of_one_class_are_refused(published: Path) -> None:
    prepare((*SORTED[:-1], "anger"))
    with pytest.raises(CellarError, match="angry and anger mean the same class"):
        imported(classes=PUBLISHED)


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("resemotenet", {"fc4.weight": 0, "fc4.bias": 0}),
        ("resnet8x4", {"fc.weight": 0, "fc.bias": 0}),
        ("inception_v3", {"AuxLogits.fc.weight": 0, "AuxLogits.fc.bias": 0, "fc.weight": 0, "fc.bias": 0}),
    ],
)
def test_the_tensors_of_the_classes_are_found(name: str, axes: dict[str, int]) -> None:
    assert outputs.class_axes(name, str(models.file_of(name))) == axes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"classes": ["a", "b"]}, "give weights"),
        ({"weights": "x.pth", "classes": ["a", "a"]}, "a stands there twice"),
        ({"weights": "x.pth", "classes": "alphabetical"}, "or as_dataset"),
        ({"weights": "x.pth", "classes": [True, "b"]}, "or as_dataset"),
    ],
)
def test_mistakes_in_the_list(line: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Teacher(dataset="own", model="resnet18", recipe="short", **line)


def test_numbers_are_names() -> None:
    line = Teacher(dataset="own", model="resnet18", recipe="short", weights="x.pth", classes=[1, "2"])  # type: ignore[list-item]
    assert line.classes == ["1", "2"]
