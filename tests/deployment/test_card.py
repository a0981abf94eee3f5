"""What a model card says of a network's origin; its figures are those of tests/workflow/test_exports.py."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cellar.config.resolved import EvaluationSettings
from tests.engine.tiny import settings_of

from .conftest import ABOUT

CLASSES, IMAGES = ABOUT.classes, 12
RECIPE = {
    "epochs": 7, "batch_size": 16, "learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.0001, "class_weighting": "none",
    "schedule": {"step": {"every": 1, "factor": 0.5}}, "select_on": "last_epoch",
}  # fmt: skip


def evaluation_of(kind: str) -> dict[str, Any]:
    """Resolved settings of an evaluation, as plain data."""
    those = settings_of(kind, "toy/small")
    return {name: those[name] for name in EvaluationSettings.model_fields if name in those} | {"batch_size": 4}


def card_of(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    licence: str = "MIT",
    classes: tuple[str, ...] = CLASSES,
    **settings: Any,
) -> str:
    from cellar.deployment.export import card, scores
    from cellar.deployment.export.settings import EvaluationOfExport

    labels = np.arange(IMAGES) % len(CLASSES)
    given = np.eye(len(CLASSES))[labels]
    predictions = {"logits": 9 * given, "fp32": given, "int8": given, "labels": labels, "index": labels}
    found = scores.of_predictions(predictions)
    for name in scores.FILES:
        found[name]["bytes"] = 1000
    monkeypatch.setattr(card, "Student", lambda path: SimpleNamespace(description=replace(ABOUT, licence=licence)))
    monkeypatch.setattr(card, "without_leaked", lambda *_: (3, 4))
    stated = {"item": "toy/small", "synthetic": False, "student": evaluation_of(kind)}
    image_set = SimpleNamespace(split=np.array(["train", "test"] * IMAGES), classes=classes, sources={})
    text: str = card.text(EvaluationOfExport.model_validate(stated | settings), image_set, predictions, found)  # type: ignore[arg-type]
    return text


def test_a_trained_student_has_its_data_teacher_and_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    text = card_of(monkeypatch, "students", teacher="large", recipe=RECIPE)
    assert "student `toy/small/seed-0`" in text and "Distilled from the teacher `large`" in text
    assert "12 training, 0 validation and 12 test images" in text and "At most 7 epochs" in text


def test_a_teacher_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = card_of(monkeypatch, "teachers", recipe=RECIPE, synthetic=True)
    assert "teacher `toy/small/seed-0`" in text and "without a teacher" in text
    assert "**Trained and measured on synthetic images" in text


def test_what_a_training_began_with_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text = card_of(monkeypatch, "students", recipe=RECIPE, start="pins_resnet50", frozen=True)
    assert "began with the weights of `pins_resnet50`, of which all but the last layer stayed as they were." in text


def test_of_weights_from_a_file_nothing_is_claimed_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No seed, training images or recipe; the digest is of the imported copy."""
    text = card_of(monkeypatch, "teachers", given="data/weights/a.pth", synthetic=True)
    assert "its weights from `data/weights/a.pth`" in text and "what they learnt from is not known here" in text
    assert "**Measured on synthetic images" in text and "| weights, as imported | SHA-256" in text
    assert not [word for word in ("seed", "Trained", "Distilled", "At most", " training, ") if word in text]


def test_a_bar_in_a_licence_parts_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert r"| licence | MIT \| BSD |" in card_of(monkeypatch, "teachers", "MIT | BSD", recipe=RECIPE)


@pytest.mark.parametrize(
    ("classes", "of_faces"),
    [(("happy", "sad", "contempt"), True), (("Angry", "calm", "bored"), True), (("apple", "pear", "plum"), False)],
)
def test_the_text_on_faces_and_emotions_is_for_classes_of_emotions(
    monkeypatch: pytest.MonkeyPatch, classes: tuple[str, ...], of_faces: bool
) -> None:
    text = card_of(monkeypatch, "students", classes=classes, recipe=RECIPE)
    about_faces = ("Prohibited use", "2024/1689", "usability tests", "a face looks like")
    assert [word in text for word in about_faces] == [of_faces] * 4
    assert ("an image looks like" in text) is not of_faces
    assert text.count("## Intended use") == 1 and "No decision about a person" in text and not text.endswith("\n\n")
