"""Saved predictions to metrics, by hand, and the split into a few scalars and details."""

import csv

import numpy as np
import pytest

from cellar.metrics import from_predictions, scalars


def test_classes_of_the_chosen_and_of_the_last_epoch() -> None:
    labels = np.array([0, 0, 1, 1])
    right, half = np.eye(2)[labels] * 9, np.eye(2)[[0, 1, 1, 0]] * 9
    found = from_predictions.compute("classes", {"logits": half, "last_logits": right, "labels": labels}, ["a", "b"])
    assert (found["accuracy"], found["last_epoch"]["accuracy"]) == (50.0, 100.0)


def test_a_triplet_is_correct_when_the_positive_is_nearer() -> None:
    """Losses with margin 1: max(1 - 3 + 1, 0) = 0, max(2 - 2 + 1, 0) = 1, max(3 - 1 + 1, 0) = 3."""
    distances = np.array([[1, 3], [2, 2], [3, 1]], np.float32)
    kept = {
        "distances": distances,
        "last_distances": distances[:1],
        "train_distances": distances[2:],
        "margin": np.array(1.0),
    }
    found = from_predictions.compute("triplets", kept, [])
    assert (found["n"], found["accuracy"], found["loss"]) == (3, 33.3333, pytest.approx(4 / 3, abs=1e-6))
    assert found["last_epoch"] == {"n": 1, "accuracy": 100.0, "loss": 0.0}
    assert found["train"] == {"n": 1, "accuracy": 0.0, "loss": 3.0}


def test_features_that_are_the_mean_explain_nothing() -> None:
    wanted = np.array([[0.0, 2.0], [2.0, 4.0]])
    kept = {"features": np.broadcast_to(wanted.mean(0), (2, 2)), "last_features": wanted, "wanted": wanted}
    found = from_predictions.compute("features", kept, [])
    assert (found["n"], found["r2"], found["mse"], found["mae"]) == (2, 0.0, 1.0, 1.0)
    assert found["last_epoch"] == {"r2": 1.0, "mse": 0.0, "mae": 0.0}


def test_tasks_before_and_after_adaptation() -> None:
    labels = np.array([0, 1])
    right = np.broadcast_to(np.eye(2), (3, 2, 2))
    kept = {"logits": right, "last_logits": right, "before_logits": right[:, ::-1], "labels": labels}
    found = from_predictions.compute("tasks", kept, [])
    assert (found["n"], found["accuracy"], found["before_adaptation"]) == (3, 100.0, {"accuracy": 0.0})


def test_metrics_and_details_share_nothing_and_are_all_that_was_computed() -> None:
    labels = np.array([0, 1, 1, 0])
    kept = {"logits": np.eye(2)[labels], "last_logits": np.eye(2)[1 - labels], "labels": labels}
    scores = {
        "epoch": 3,
        "epochs_run": 4,
        "validation_accuracy": 50.0,
        **from_predictions.compute("classes", kept, ["a", "b"]),
    }
    metrics, details = scalars.split("classes", scores)
    assert list(metrics) == ["n", "epoch", "validation_accuracy", "accuracy", "loss", "macro", "last_epoch"]
    assert set(details) == {"epochs_run", "auc", "per_class", "confusion"}
    assert scalars.merge(metrics, details) == scores


def test_a_section_may_be_in_both() -> None:
    """The last epoch's number of triplets is a detail; its accuracy and loss are metrics."""
    scores = {"n": 2, "accuracy": 50.0, "loss": 0.5, "last_epoch": {"n": 2, "accuracy": 100.0, "loss": 0.0}}
    metrics, details = scalars.split("triplets", scores)
    assert details == {"last_epoch": {"n": 2}} and "n" not in metrics["last_epoch"]
    assert scalars.merge(metrics, details) == scores


def test_a_confusion_has_a_line_per_image_and_names_are_quoted_where_they_must_be() -> None:
    kept = {"logits": np.eye(2)[[0, 1, 1]], "labels": np.array([0, 0, 1])}
    text = from_predictions.confusion_csv(kept, ["plain", 'a "b", c'])
    assert text == 'actual,predicted\nplain,plain\nplain,"a ""b"", c"\n"a ""b"", c","a ""b"", c"\n'
    assert list(csv.reader(text.splitlines()))[2] == ["plain", 'a "b", c']
