"""Metrics against a confusion matrix counted by hand."""

import json
import math

import numpy as np
import pytest

from cellar import metrics

CLASSES = ["happy", "sad", "fear"]
LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])  # fear is never predicted
CONFUSION = [[2, 1, 0], [1, 1, 0], [1, 0, 0]]


def logits_of(predicted: np.ndarray, margin: float = 2.0) -> np.ndarray:
    return (np.eye(3)[predicted] * margin).astype(np.float32)


@pytest.fixture
def found() -> dict:
    return metrics.from_logits(logits_of(PREDICTED), LABELS, CLASSES)


def test_confusion_has_true_rows_and_predicted_columns(found: dict) -> None:
    assert found["confusion"] == CONFUSION


def test_accuracy_is_in_percent_to_four_decimals(found: dict) -> None:
    assert found["n"] == 6
    assert found["accuracy"] == 50.0
    third = metrics.from_logits(logits_of(np.array([0, 1, 2])), np.array([0, 0, 0]), CLASSES)
    assert third["accuracy"] == 33.3333


def test_each_class_has_its_own_scores(found: dict) -> None:
    assert found["per_class"]["happy"] == {"precision": 50.0, "recall": 66.6667, "f1": 57.1429, "support": 3}
    assert found["per_class"]["sad"] == {"precision": 50.0, "recall": 50.0, "f1": 50.0, "support": 2}


def test_a_class_never_predicted_scores_zero_without_a_warning(found: dict) -> None:
    assert found["per_class"]["fear"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_macro_is_the_plain_mean_over_classes(found: dict) -> None:
    f1 = 100 * (4 / 7 + 1 / 2 + 0) / 3
    assert found["macro"] == {"precision": 33.3333, "recall": 38.8889, "f1": round(f1, 4)}


def test_a_class_without_images_still_counts() -> None:
    labels = np.array([0, 1])
    found = metrics.from_logits(logits_of(labels), labels, CLASSES)
    assert found["accuracy"] == 100.0
    assert found["per_class"]["fear"]["support"] == 0
    assert found["macro"]["f1"] == 66.6667
    assert len(found["confusion"]) == 3


def test_loss_is_the_mean_cross_entropy_of_an_image(found: dict) -> None:
    """Three right and three wrong at margin 2: -log(e²/(e²+2)) and -log(1/(e²+2))."""
    normaliser = math.log(math.exp(2) + 2)
    assert found["loss"] == round((3 * (normaliser - 2) + 3 * normaliser) / 6, 6)


def test_large_float32_logits_give_a_finite_loss() -> None:
    found = metrics.from_logits(logits_of(PREDICTED, margin=1e4), LABELS, CLASSES)
    assert found["loss"] == 5000.0


def test_the_result_is_plain_json(found: dict) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found
