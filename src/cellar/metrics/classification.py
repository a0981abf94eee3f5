"""Classification metrics of saved logits, by scikit-learn. Pure functions; rates in percent, losses in nats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

RATE_DIGITS, LOSS_DIGITS = 4, 6  # the rounding of every saved metric


def from_logits(logits: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Accuracy, mean cross-entropy per image, area under the ROC curve, macro and per-class precision, recall, F1,
    confusion matrix.

    logits (N, C), labels (N,) in 0..C-1. Rows of the matrix are true classes, columns predicted ones. A class
    that is never predicted has precision 0.
    """
    order = list(range(len(classes)))
    predicted = logits.argmax(axis=1)
    scores = precision_recall_fscore_support(labels, predicted, labels=order, average=None, zero_division=0)
    macro = precision_recall_fscore_support(labels, predicted, labels=order, average="macro", zero_division=0)
    log_probability = log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    return {
        "n": len(labels),
        "accuracy": percent((predicted == labels).mean()),
        "loss": round(float(-log_probability.mean()), LOSS_DIGITS),
        "auc": area_under_curves(logits, labels, len(classes)),
        "macro": {"precision": percent(macro[0]), "recall": percent(macro[1]), "f1": percent(macro[2])},
        "per_class": {name: class_scores(scores, i) for i, name in enumerate(classes)},
        "confusion": confusion_matrix(labels, predicted, labels=order).tolist(),
    }


def of_confusion(confusion: np.ndarray) -> dict[str, float]:
    """Accuracy, macro precision, recall and F1 of the images counted in a matrix (C, C), true classes by rows."""
    classes = len(confusion)
    labels, predicted = (pairs.repeat(confusion.ravel()) for pairs in np.indices((classes, classes)).reshape(2, -1))
    macro = precision_recall_fscore_support(
        labels, predicted, labels=list(range(classes)), average="macro", zero_division=0
    )
    rates = {"precision": percent(macro[0]), "recall": percent(macro[1]), "f1": percent(macro[2])}
    return {"accuracy": percent((labels == predicted).mean()), **rates}


def area_under_curves(logits: np.ndarray, labels: np.ndarray, num_classes: int) -> float | None:
    """Area under the ROC curve of the softmax, in percent: one class against the rest, unweighted mean over classes.

    Two classes share one curve. None when a class has no image and therefore no curve.
    """
    if len(np.unique(labels)) < num_classes:
        return None
    probability = softmax(logits.astype(np.float64), axis=1)
    scores = probability[:, 1] if num_classes == 2 else probability
    order = list(range(num_classes))
    return percent(roc_auc_score(labels, scores, multi_class="ovr", average="macro", labels=order))


def class_scores(scores: tuple[np.ndarray, ...], i: int) -> dict[str, float | int]:
    precision, recall, f1, support = (column[i] for column in scores)
    rates = {"precision": percent(precision), "recall": percent(recall), "f1": percent(f1)}
    return {**rates, "support": int(support)}


def percent(rate: float) -> float:
    return round(float(rate) * 100, RATE_DIGITS)
