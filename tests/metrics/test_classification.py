"""Metrics against a confusion matrix counted by hand."""

import json
import math

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn import metrics

from cellar.errors import CellarError
from cellar.metrics import classification

CLASSES = ["happy", "sad", "fear"]
LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 0])  # fear is never predicted
CONFUSION = [[2, 1, 0], [1, 1, 0], [1, 0, 0]]


def logits_of(predicted: np.ndarray, margin: float = 2.0) -> np.ndarray:
    return (np.eye(3)[predicted] * margin).astype(np.float32)


@pytest.fixture
def found() -> dict:
    return classification.from_logits(logits_of(PREDICTED), LABELS, CLASSES)


def test_confusion_has_true_rows_and_predicted_columns(found: dict) -> None:
    assert found["confusion"] == CONFUSION


def test_accuracy_is_in_percent_to_four_decimals(found: dict) -> None:
    assert found["n"] == 6
    assert found["accuracy"] == 50.0
    third = classification.from_logits(logits_of(np.array([0, 1, 2])), np.array([0, 0, 0]), CLASSES)
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
    found = classification.from_logits(logits_of(labels), labels, CLASSES)
    assert found["accuracy"] == 100.0
    assert found["per_class"]["fear"]["support"] == 0
    assert found["macro"]["f1"] == 66.6667
    assert len(found["confusion"]) == 3


def test_loss_is_the_mean_cross_entropy_of_an_image(found: dict) -> None:
    """Three right and three wrong at margin 2: -log(e²/(e²+2)) and -log(1/(e²+2))."""
    normaliser = math.log(math.exp(2) + 2)
    assert found["loss"] == round((3 * (normaliser - 2) + 3 * normaliser) / 6, 6)


def test_large_float32_logits_give_a_finite_loss() -> None:
    found = classification.from_logits(logits_of(PREDICTED, margin=1e4), LABELS, CLASSES)
    assert found["loss"] == 5000.0


def test_the_area_is_of_each_class_against_the_rest(found: dict) -> None:
    """Pairs (image of the class, another) ranked rightly, ties half: happy 4.5 of 9, sad 5 of 8, fear 2.5 of 5."""
    assert found["auc"] == round(100 * (4.5 / 9 + 5 / 8 + 2.5 / 5) / 3, 4)


def test_two_classes_share_one_curve() -> None:
    """By the second class's share: 1 and 3 for happy, 2 and 4 for sad; 3 of 4 pairs are ranked rightly."""
    logits = np.array([[0, 1], [0, 3], [0, 2], [0, 4]], dtype=np.float32)
    assert classification.from_logits(logits, np.array([0, 0, 1, 1]), CLASSES[:2])["auc"] == 75.0


def test_the_area_ranks_by_softmax_not_by_logits() -> None:
    """The second image has the larger logit of happy, 5, but the smaller share: 0.27 against 0.79."""
    logits = np.array([[2, 0, 0], [5, 6, 0], [0, 9, 0], [0, 0, 9]], dtype=np.float32)
    labels = np.array([0, 1, 1, 2])
    assert classification.from_logits(logits, labels, CLASSES)["auc"] == 100.0


def test_without_images_of_a_class_there_is_no_area() -> None:
    for labels in ([0, 1], [0, 0]):
        found = classification.from_logits(logits_of(np.array([0, 1])), np.array(labels), CLASSES)
        assert found["auc"] is None
    assert classification.from_logits(np.eye(2, dtype=np.float32), np.array([1, 1]), CLASSES[:2])["auc"] is None


def test_scores_of_a_confusion_matrix() -> None:
    """By rows 2 of 3, 0 of 0, 1 of 2 and 0 of 1 are right; by columns 2 of 4, 0 of 1, 1 of 1 and 0 of 0."""
    confusion = np.array([[2, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]])
    f1 = (2 / (3 / 2 + 4 / 2) + 0 + 2 / (2 / 1 + 1 / 1) + 0) / 4  # harmonic means
    assert classification.of_confusion(confusion) == {
        "accuracy": 50.0,
        "precision": 37.5,  # (1/2 + 0 + 1 + 0) / 4
        "recall": 29.1667,  # (2/3 + 0 + 1/2 + 0) / 4
        "f1": round(100 * f1, 4),
    }


def test_the_result_is_plain_json(found: dict) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("scale", [0.01, 1, 40])  # 40: many shares are 1, which are ties
def test_scikit_learn_gives_every_score(classes: int, scale: float) -> None:
    chance = np.random.default_rng(classes)
    labels = np.concatenate([np.arange(classes), chance.integers(0, classes, 150)])
    logits = (chance.normal(size=(len(labels), classes)) * scale).astype(np.float32)
    logits[20:60] = logits[20].round()  # equal ones
    names, order = [str(number) for number in range(classes)], list(range(classes))
    shares = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    found, predicted = classification.from_logits(logits, labels, names), logits.argmax(1)
    area = metrics.roc_auc_score(labels, shares[:, 1] if classes == 2 else shares, multi_class="ovr", labels=order)
    assert found["auc"] == classification.percent(area)
    log_shares = log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    assert found["loss"] == round(-log_shares.mean(), 6)
    assert found["confusion"] == metrics.confusion_matrix(labels, predicted, labels=order).tolist()
    scores = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    for name, score in scores.items():
        of_classes = score(labels, predicted, labels=order, average=None, zero_division=0)
        assert [found["per_class"][key][name] for key in names] == [classification.percent(one) for one in of_classes]
        assert found["macro"][name] == classification.percent(of_classes.mean())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_are_refused(value: float) -> None:
    logits = logits_of(PREDICTED)
    logits[3, 1] = value
    with pytest.raises(CellarError, match="diverged \\(lower learning_rate"):
        classification.from_logits(logits, LABELS, CLASSES)
