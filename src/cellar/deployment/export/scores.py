"""Scores of the exported files, from the probabilities that they gave for the test images, and from PyTorch's.

Used by the stage that evaluates them and by `cellar verify`; needs neither torch nor onnxruntime.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cellar.metrics.classification import class_rates, count_confusion, percent, softmax

FILES = ("fp32", "int8")
BINS = 15  # of confidence, of equal width: Guo et al., On calibration of modern neural networks, 2017, section 2


def of_predictions(predictions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """`logits` (N, C) of PyTorch, probabilities `fp32` and `int8` (N, C), `labels` (N,). Rates in percent."""
    labels, pytorch = predictions["labels"], softmax(predictions["logits"].astype(np.float64))
    given = {name: predictions[name].astype(np.float64) for name in FILES}
    scores = {name: of_probabilities(values, labels) for name, values in {"pytorch": pytorch, **given}.items()}
    for name, values in given.items():
        scores[name] |= {
            "agreement": percent((values.argmax(1) == pytorch.argmax(1)).mean()),
            "largest_difference": float(f"{np.abs(values - pytorch).max():.3g}"),
        }
    return {"n": len(labels), **scores}


def of_probabilities(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {
        "accuracy": percent((probabilities.argmax(1) == labels).mean()),
        "calibration_error": calibration_error(probabilities, labels),
    }


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error in percent: |accuracy - confidence| of each bin, weighted by its images."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)  # the bins are (0, 1/15], (1/15, 2/15] …
    gaps = np.bincount(places, weights=right - confidence, minlength=BINS)
    return percent(np.abs(gaps).sum() / len(labels))


def recalls(probabilities: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, tuple[float, int]]:
    """Class -> (recall in percent, images)."""
    confusion = count_confusion(labels, probabilities.argmax(1), len(classes))
    found = class_rates(confusion)["recall"]
    return {name: (percent(rate), int(n)) for name, rate, n in zip(classes, found, confusion.sum(axis=1), strict=True)}
