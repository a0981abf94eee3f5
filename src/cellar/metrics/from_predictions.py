"""Metrics computed from saved predictions; used by the evaluate stages and by `cellar verify`. Torch is not needed.

Predictions of the chosen weights stand under their name, those of the last epoch's weights under last_<name>.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cellar.metrics import classification, features
from cellar.metrics.classification import LOSS_DIGITS, percent
from cellar.metrics.scalars import Kind, Scores

Predictions = Mapping[str, np.ndarray]


def compute(kind: Kind, predictions: Predictions, classes: Sequence[str]) -> Scores:
    """All scores of a predictions.npz of that kind; `classes` in label order."""
    if kind == "classes":
        return of_classes(predictions, classes)
    others: dict[Kind, Callable[[Predictions], Scores]] = {
        "triplets": of_triplets,
        "features": of_features,
        "tasks": of_tasks,
    }
    return others[kind](predictions)


def confusion_csv(predictions: Predictions, classes: Sequence[str]) -> str:
    """A line per test image: actual class, predicted class. For `dvc plots` with its template confusion."""
    pairs = zip(predictions["labels"], predictions["logits"].argmax(1), strict=True)
    rows = [f"{quoted(classes[actual])},{quoted(classes[predicted])}" for actual, predicted in pairs]
    return "\n".join(["actual,predicted", *rows]) + "\n"


def quoted(name: str) -> str:
    """A CSV field."""
    return '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\n') else name


def of_classes(predictions: Predictions, classes: Sequence[str]) -> Scores:
    """logits, last_logits (N, C) and labels (N,)."""
    scores = classification.from_logits(predictions["logits"], predictions["labels"], classes)
    last = classification.from_logits(predictions["last_logits"], predictions["labels"], classes)
    scores["last_epoch"] = {name: last[name] for name in ("accuracy", "loss")}
    return scores


def of_triplets(predictions: Predictions) -> Scores:
    """distances, last_distances, train_distances (M, 2), squared, to the positive and to the negative; margin ()."""
    margin = float(predictions["margin"])
    names = ("distances", "last_distances", "train_distances")
    test, last, train = (distance_scores(predictions[name], margin) for name in names)
    return {**test, "last_epoch": last, "train": train}


def distance_scores(distances: np.ndarray, margin: float) -> Scores:
    """Triplet loss (small-dataset study, eq. 1) and eq. 6 in percent, of squared distances (M, 2).

    Equation 6 prints the number of triplets whose positive is nearer; the text calls it a proportion, which is used here.
    Equal distances do not count, so features that are the same for every image score 0.
    """
    near, far = distances.astype(np.float64).T
    loss = np.maximum(near - far + margin, 0).mean()
    return {"n": len(distances), "accuracy": percent((near < far).mean()), "loss": round(float(loss), LOSS_DIGITS)}


def of_features(predictions: Predictions) -> Scores:
    """features, last_features and the teacher's, `wanted`: (N, D)."""
    chosen, last = (
        features.compare(predictions[name], predictions["wanted"]) for name in ("features", "last_features")
    )
    return {"n": len(predictions["wanted"]), **rounded(chosen), "last_epoch": rounded(last)}


def rounded(scores: Mapping[str, float]) -> Scores:
    return {name: round(value, LOSS_DIGITS) for name, value in scores.items()}


def of_tasks(predictions: Predictions) -> Scores:
    """logits, last_logits, before_logits (M, Q, ways) of the queries of M tasks, and their labels (Q,)."""
    accuracy = {
        name: percent((predictions[f"{name}logits"].argmax(2) == predictions["labels"]).mean())
        for name in ("", "last_", "before_")
    }
    return {
        "n": len(predictions["logits"]),
        "accuracy": accuracy[""],
        "before_adaptation": {"accuracy": accuracy["before_"]},
        "last_epoch": {"accuracy": accuracy["last_"]},
    }
