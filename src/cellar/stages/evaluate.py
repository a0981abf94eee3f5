"""What evaluate_teacher and evaluate_student share: the test split is read here, once, and nowhere else."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellar import devices, evaluation, files, metrics, models, paths, provenance
from cellar import params as parameters
from cellar.datasets import prepared
from cellar.models import weights
from cellar.params import Experiment, Teacher
from cellar.views import to_tensor, view_set


def evaluate(kind: str, key: str, line: Teacher | Experiment, seed: int) -> None:
    """Keep the logits of every test image, for the chosen weights and the last epoch's, and their metrics."""
    params = parameters.load()
    device = devices.prepare(params.threads)
    folder, data = paths.predictions(kind, key, seed), paths.prepared(line.dataset) / "arrays.npz"
    trained, dataset = paths.trained(kind, key, seed), params.datasets[line.dataset]
    views = view_set(dataset.augmentation, dataset.normalisation)
    inputs = [data, *(trained / name for name in ("weights.safetensors", "last.safetensors", "history.csv"))]
    outputs = [folder / "predictions.npz", paths.metrics(kind, key, seed)]
    facts = {
        "seed": seed,
        "threads": params.threads,
        "device": device.type,
        "device_name": devices.name(device),
    }
    settings = {"model": line.model, **dataset.model_dump(include={"input_size", "augmentation", "normalisation"})}
    with provenance.record(folder / "run.json", inputs, outputs, settings, **facts):
        image_set = prepared.load(paths.prepared(line.dataset))
        index = np.flatnonzero(image_set.split == "test")
        images = to_tensor(image_set.images[index], dataset.input_size, device)

        def logits(name: str) -> np.ndarray:
            model = models.build(line.model, len(image_set.classes))
            weights.load_weights(model, trained / name)
            model = devices.place(model, device)
            return evaluation.predict(model, images, views, params.evaluation.batch_size).cpu().numpy()

        labels = image_set.labels[index]
        chosen = logits("weights.safetensors")
        same = provenance.content_hash(inputs[1]) == provenance.content_hash(inputs[2])
        last = chosen if same else logits("last.safetensors")
        files.write_arrays(outputs[0], logits=chosen, last_logits=last, labels=labels, index=index)
        scores = metrics.from_logits(chosen, labels, image_set.classes)
        last_scores = metrics.from_logits(last, labels, image_set.classes)
        head = {"dataset": line.dataset, "model": line.model, **training_facts(trained / "history.csv")}
        last_epoch = {name: last_scores[name] for name in ("accuracy", "loss")}
        files.write_json(outputs[1], {**head, **scores, "last_epoch": last_epoch})


def training_facts(history: Path) -> dict[str, Any]:
    """Which epoch was chosen, of how many, and its validation accuracy; nothing for imported weights."""
    rows = pd.read_csv(history)
    if rows.empty:
        return {"epoch": None, "epochs_run": None, "validation_accuracy": None}
    chosen = rows[rows["chosen"] == 1].iloc[0]
    return {
        "epoch": int(chosen["epoch"]),
        "epochs_run": len(rows),
        "validation_accuracy": known(chosen["validation_accuracy"]),
    }


def known(value: float) -> float | None:
    """None where nothing was held out to validate on."""
    return None if math.isnan(value) else round(float(value), 4)
