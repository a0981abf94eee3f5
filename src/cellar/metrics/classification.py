"""Classification metrics of saved logits. Pure functions; rates in percent, losses in nats.

All but the loss are counts: of images, and of pairs of images. They are counted here, as integers, for scikit-learn takes a
second to import, more than a small evaluation computes; tests compare every score with scikit-learn's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cellar.errors import CellarError

RATE_DIGITS, LOSS_DIGITS = 4, 6  # the rounding of every saved metric
Rates = dict[str, np.ndarray]


def from_logits(logits: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Accuracy, mean cross-entropy per image, area under the ROC curve, macro and per-class precision, recall, F1,
    confusion matrix.

    logits (N, C), labels (N,) in 0..C-1. Rows of the matrix are true classes, columns predicted ones. A class
    that is never predicted has precision 0. Raises CellarError for logits that are not numbers.
    """
    if not np.isfinite(logits).all():
        raise CellarError(
            "the network's outputs are not numbers: its training diverged (lower learning_rate in its recipe), or its file is damaged"
        )
    confusion = count_confusion(labels, logits.argmax(axis=1), len(classes))
    rates, support = class_rates(confusion), confusion.sum(axis=1).tolist()
    log_probability = log_softmax(logits.astype(np.float64))[np.arange(len(labels)), labels]
    return {
        "n": len(labels),
        "accuracy": accuracy(confusion),
        "loss": round(float(-log_probability.mean()), LOSS_DIGITS),
        "auc": area_under_curves(logits, labels, len(classes)),
        "macro": macro(rates),
        "per_class": {
            name: {score: percent(values[i]) for score, values in rates.items()} | {"support": support[i]}
            for i, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def of_confusion(confusion: np.ndarray) -> dict[str, float]:
    """Accuracy, macro precision, recall and F1 of the images counted in a matrix (C, C), true classes by rows."""
    return {"accuracy": accuracy(confusion), **macro(class_rates(confusion))}


def count_confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How many images (N,) of each class were taken for which: int64 (C, C), true classes by rows."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def class_rates(confusion: np.ndarray) -> Rates:
    """Precision, recall and F1 of each class (C,), from 0 to 1; where nothing is counted, 0."""
    right, actual, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        "precision": divide(right, predicted),
        "recall": divide(right, actual),
        "f1": divide(2 * right, actual + predicted),
    }


def divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.where(whole == 0, 1, whole)


def accuracy(confusion: np.ndarray) -> float:
    return percent(confusion.trace() / confusion.sum())


def macro(rates: Rates) -> dict[str, float]:
    """The plain mean over classes."""
    return {score: percent(values.mean()) for score, values in rates.items()}


def area_under_curves(logits: np.ndarray, labels: np.ndarray, num_classes: int) -> float | None:
    """Area under the ROC curve of the softmax, in percent: one class against the rest, unweighted mean over classes.

    Two classes share one curve. None when a class has no image and therefore no curve.
    """
    if len(np.unique(labels)) < num_classes:
        return None
    probability = softmax(logits.astype(np.float64))
    ranked = range(1, 2) if num_classes == 2 else range(num_classes)
    return percent(float(np.mean([area_under_curve(probability[:, number], labels == number) for number in ranked])))


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    """The share of the pairs of a positive and a negative image in which the positive one has the larger score (N,); equal
    scores count half (Hanley and McNeil, 1982)."""
    values, place = np.unique(scores, return_inverse=True)
    positives, negatives = (np.bincount(place[rows], minlength=len(values)) for rows in (positive, ~positive))
    twice = int((positives * (2 * (negatives.cumsum() - negatives) + negatives)).sum())
    return twice / (2 * int(positives.sum()) * int(negatives.sum()))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of the classes, (N, C) as the logits."""
    shifted: np.ndarray = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: np.ndarray) -> np.ndarray:
    """The shares of the classes, (N, C) as the logits."""
    weights: np.ndarray = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def percent(rate: float) -> float:
    return round(float(rate) * 100, RATE_DIGITS)
