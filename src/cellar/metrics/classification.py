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


def averages(logits: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """The averages that the small-dataset study prints for a set of images: accuracy, loss, macro and micro averages.

    logits (N, C), labels (N,) in 0..C-1. With one label and one prediction per image all three micro averages equal the
    accuracy, if every class of the labels is among `classes`.
    """
    scores = from_logits(logits, labels, classes)
    return {**{name: scores[name] for name in ("n", "accuracy", "loss", "macro")}, "micro": micro(logits, labels)}


def micro(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Precision, recall and F1 over all images and classes together. logits (N, C), labels (N,)."""
    order = list(range(logits.shape[1]))
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, logits.argmax(axis=1), labels=order, average="micro", zero_division=0
    )
    return {"precision": percent(precision), "recall": percent(recall), "f1": percent(f1)}


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
