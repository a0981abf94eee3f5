"""What is said of a run, from the predictions that are kept of it: metrics files are made here, and verified here.

Predictions of the chosen weights stand under their name, those of the last epoch's under last_<name>. Torch is not
needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cellar.metrics import classification, features
from cellar.metrics.classification import LOSS_DIGITS, percent

Kept = Mapping[str, np.ndarray]
Scores = dict[str, Any]


def grade(kept: Kept, classes: Sequence[str]) -> Scores:
    """Metrics of a predictions.npz: of classes, of triplets, of features, or of few-shot tasks, as its arrays tell."""
    if "distances" in kept:
        return of_triplets(kept)
    if "features" in kept:
        return of_features(kept)
    if "before_logits" in kept:
        return of_tasks(kept)
    return of_classes(kept, classes)


def of_classes(kept: Kept, classes: Sequence[str]) -> Scores:
    """logits, last_logits (N, C) and labels (N,); of the training images train_logits and train_labels, if kept."""
    found = classification.from_logits(kept["logits"], kept["labels"], classes)
    last = classification.from_logits(kept["last_logits"], kept["labels"], classes)
    found["last_epoch"] = {name: last[name] for name in ("accuracy", "loss")}
    if "train_logits" in kept:
        found["micro"] = classification.micro(kept["logits"], kept["labels"])
        found["train"] = classification.averages(kept["train_logits"], kept["train_labels"], classes)
    return found


def of_triplets(kept: Kept) -> Scores:
    """distances, last_distances, train_distances (M, 2), squared, to the positive and to the negative; margin ()."""
    margin = float(kept["margin"])
    found = {name: distance_scores(kept[name], margin) for name in ("distances", "last_distances", "train_distances")}
    return {**found["distances"], "last_epoch": found["last_distances"], "train": found["train_distances"]}


def distance_scores(distances: np.ndarray, margin: float) -> Scores:
    """Triplet loss (small-dataset study, eq. 1) and eq. 6 in percent, of squared distances (M, 2).

    Equation 6 prints the number of triplets whose positive is nearer, the text calls it a proportion: that is taken.
    Equal distances do not count, so features that are the same for every image have 0.
    """
    near, far = distances.astype(np.float64).T
    loss = np.maximum(near - far + margin, 0).mean()
    return {"n": len(distances), "accuracy": percent((near < far).mean()), "loss": round(float(loss), LOSS_DIGITS)}


def of_features(kept: Kept) -> Scores:
    """features, last_features and the teacher's, wanted: (N, D)."""
    found, last = (features.compare(kept[name], kept["wanted"]) for name in ("features", "last_features"))
    return {"n": len(kept["wanted"]), **rounded(found), "last_epoch": rounded(last)}


def rounded(scores: Mapping[str, float]) -> Scores:
    return {name: round(value, LOSS_DIGITS) for name, value in scores.items()}


def of_tasks(kept: Kept) -> Scores:
    """logits, last_logits, before_logits (M, Q, ways) of the queries of M tasks, and their labels (Q,)."""
    accuracy = {
        name: percent((kept[f"{name}logits"].argmax(2) == kept["labels"]).mean()) for name in ("", "last_", "before_")
    }
    return {
        "n": len(kept["logits"]),
        "accuracy": accuracy[""],
        "before_adaptation": {"accuracy": accuracy["before_"]},
        "last_epoch": {"accuracy": accuracy["last_"]},
    }
