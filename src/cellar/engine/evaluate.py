"""Evaluation: predictions of the test images, and the metrics computed from them.

The only reader of the test split, apart from recipes that evaluate the test images after each epoch (`watch`).
"""

import filecmp
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from cellar import files, models, paths
from cellar.config.resolved import EvaluationSettings
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import Split, open_split
from cellar.data.inputs.prepared import ImageSet
from cellar.engine import runtime
from cellar.engine.setup import load_method
from cellar.metrics import from_predictions, scalars

Arrays = dict[str, np.ndarray]
Row = dict[str, float]  # an epoch's losses and scores, by name


@dataclass(frozen=True)
class EvalContext:
    """Evaluation context: resolved settings, data set, device."""

    settings: EvaluationSettings
    image_set: ImageSet
    device: torch.device

    def rows(self, name: str) -> np.ndarray:
        """Row numbers of a split: contiguous in a prepared set."""
        return np.flatnonzero(self.image_set.split == name)

    def split(self, name: str) -> Split:
        rows = self.rows(name)
        return open_split(self.image_set, slice(int(rows[0]), int(rows[-1]) + 1), self.settings.input, self.device)


class Predictor(Protocol):
    """What an evaluation needs from a method; cellar.methods.base documents the whole interface."""

    prediction_kind: scalars.Kind

    def num_outputs(self, num_classes: int) -> int: ...
    def wrap(self, model: nn.Module) -> nn.Module: ...
    def predict(self, model: nn.Module, context: EvalContext) -> Arrays: ...
    def predict_extra(self, model: nn.Module, context: EvalContext) -> Arrays: ...
    def targets(self, context: EvalContext) -> Arrays: ...
    def evaluation_facts(self, settings: EvaluationSettings) -> dict[str, Any]: ...


def run(settings: EvaluationSettings) -> dict[str, Any]:
    """Write predictions of the chosen and of the last epoch's weights, metrics, details.json and confusion.csv; return facts
    for the run record."""
    method: Predictor = load_method(settings.method, settings.method_file)
    device = runtime.prepare(settings.threads)
    place = settings.kind, settings.key, settings.seed
    trained = paths.trained(*place)
    chosen_file, last_file = trained / "weights.safetensors", trained / "last.safetensors"
    context = EvalContext(settings, prepared.load(paths.prepared(settings.dataset)), device)
    chosen = load_model(method, chosen_file, context)
    predictions = method.predict(chosen, context)
    same = filecmp.cmp(chosen_file, last_file, shallow=False)
    last = predictions if same else method.predict(load_model(method, last_file, context), context)
    arrays = predictions | {f"last_{name}": value for name, value in last.items()}
    arrays |= method.predict_extra(chosen, context) | method.targets(context)
    files.write_arrays(paths.predictions(*place) / "predictions.npz", **arrays)
    write_metrics(settings, method, arrays, context.image_set.classes, training_facts(trained / "history.csv"))
    return {"seed": settings.seed, **runtime.device_facts(device, settings.threads)}


def load_model(method: Predictor, weights: Path, context: EvalContext) -> nn.Module:
    settings = context.settings
    num_outputs = method.num_outputs(len(context.image_set.classes))
    network = models.build(settings.model, num_outputs, settings.model_file)
    model, side = method.wrap(network), settings.input.input_size
    models.load_weights(model, weights)  # first: what fits a network to its maps takes its weights apart
    runtime.place(network, context.device, (settings.batch_size, 3, side, side))  # the one within the model
    return runtime.place(model, context.device)


def write_metrics(
    settings: EvaluationSettings, method: Predictor, arrays: Arrays, classes: tuple[str, ...], facts: dict[str, Any]
) -> None:
    """The metrics file has a few scalars, details.json everything else, confusion.csv a row per test image."""
    place = settings.kind, settings.key, settings.seed
    scores = facts | from_predictions.compute(method.prediction_kind, arrays, classes)
    metrics, details = scalars.split(method.prediction_kind, scores)
    head = {"dataset": settings.dataset, "model": settings.model, "kind": method.prediction_kind}
    files.write_json(paths.metrics(*place), metrics)
    files.write_json(paths.details(*place), head | method.evaluation_facts(settings) | details)
    if method.prediction_kind == "classes":
        files.write_text(paths.confusion(*place), from_predictions.confusion_csv(arrays, classes))


def training_facts(file: Path) -> dict[str, Any]:
    """Which epoch was chosen, of how many, its validation scores, and those of the training images if these were watched;
    None for imported weights."""
    rows = files.read_csv(file)
    if not rows:
        return {"epoch": None, "epochs_run": None, "validation_accuracy": None}
    chosen = next(row for row in rows if row["chosen"] == 1)
    facts: dict[str, Any] = {
        "epoch": int(chosen["epoch"]),
        "epochs_run": len(rows),
        "validation_accuracy": rounded(chosen["validation_accuracy"]),
    }
    if "processor" in chosen:
        facts["processors"] = len({row["processor"] for row in rows})
    if "validation_r2" in chosen:
        facts["validation_r2"] = rounded(chosen["validation_r2"])
    if "train_f1" in chosen:
        facts["train"] = while_trained_on(chosen)
    return facts | (best_on_test(rows) if "test_accuracy" in chosen else {})


def while_trained_on(chosen: Row) -> dict[str, Any]:
    """Scores of the training images, from the guesses made in the chosen epoch while they were trained on."""
    macro = {name: rounded(chosen[f"train_{name}"]) for name in ("precision", "recall", "f1")}
    return {"accuracy": rounded(chosen["train_accuracy"]), "macro": macro}


def best_on_test(rows: list[Row]) -> dict[str, Any]:
    """The epoch that selection on the test images would have chosen, as the small-dataset study did: by F1."""
    watched = [name for name in ("accuracy", "f1", "precision", "recall") if f"test_{name}" in rows[0]]
    score = f"test_{'f1' if 'f1' in watched else 'accuracy'}"
    best = max(rows, key=lambda row: row[score])
    return {"best_on_test": {"epoch": int(best["epoch"]), **{name: rounded(best[f"test_{name}"]) for name in watched}}}


def rounded(value: float) -> float | None:
    """None where nothing was held out to validate on."""
    return None if math.isnan(value) else round(float(value), 4)
