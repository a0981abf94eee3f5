"""What train_teacher, train_student and distill_student share: data in; weights, history and record out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from cellar import devices, files, models, paths, provenance, training, views
from cellar.checkpoints import Checkpoint
from cellar.datasets import prepared
from cellar.losses.cross_entropy import balanced_class_weights, cross_entropy
from cellar.models import weights
from cellar.params import Experiment, Params, Teacher
from cellar.progress import Progress
from cellar.seeding import derive
from cellar.training import Batch, Objective, Split


@dataclass(frozen=True)
class Classroom:
    """What an objective may need: the data on its device, the class weights (C,) or None."""

    device: torch.device
    train: Split
    validation: Split
    num_classes: int
    class_weights: Tensor | None


def fit(
    folder: Path,
    line: Teacher | Experiment,
    params: Params,
    seed: int,
    make_objective: Callable[[Classroom], Objective],
    inputs: Sequence[Path] = (),
) -> None:
    """Train the model of one line of params.yaml and write `folder`, its results.

    `inputs` are files that the objective reads beside the prepared data; hashes of all of them, with every
    parameter and the code, name the checkpoint that a killed run goes on from.
    """
    device = devices.prepare(params.threads)
    inputs = [paths.prepared(line.dataset) / "arrays.npz", *inputs]
    outputs = [folder / name for name in ("weights.safetensors", "last.safetensors", "history.csv")]
    settings = settings_of(line, params)
    facts = {
        "seed": seed,
        "threads": params.threads,
        "device": device.type,
        "device_name": devices.name(device),
    }
    hashes = {str(path): provenance.content_hash(path) for path in inputs}
    checkpoint = Checkpoint({**settings, **facts, "inputs": hashes, "code": provenance.code_hash()})
    recipe = params.recipes[line.recipe]
    with provenance.record(folder / "run.json", inputs, outputs, settings, **facts) as record:
        room = open_classroom(line, params, device)
        torch.manual_seed(derive(seed, "initial weights"))
        model = devices.place(models.build(line.model, room.num_classes), device)
        progress = Progress(f"{folder.parent.name} seed {seed}", recipe.epochs * len(room.train.labels))
        objective = make_objective(room)
        outcome = training.train(
            model, room.train, room.validation, objective, recipe,
            seed=seed, precision=params.precision, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
        record["resumed_from_epoch"] = outcome.resumed_from
        write_outcome(outcome, folder)
    checkpoint.remove()


def settings_of(line: Teacher | Experiment, params: Params) -> dict[str, Any]:
    """Every parameter that a training depends on, resolved."""
    return {
        "line": line.model_dump(exclude={"seeds", "row"}),
        "recipe": params.recipes[line.recipe].model_dump(),
        "input_size": params.datasets[line.dataset].input_size,
        "precision": params.precision,
        "threads": params.threads,
    }


def open_classroom(line: Teacher | Experiment, params: Params, device: torch.device) -> Classroom:
    image_set = prepared.load(paths.prepared(line.dataset))
    size = params.datasets[line.dataset].input_size

    def split(name: str) -> Split:
        chosen = image_set.split == name
        labels = torch.from_numpy(image_set.labels[chosen]).to(device)
        return Split(views.to_tensor(image_set.images[chosen], size, device), labels)

    train, num_classes = split("train"), len(image_set.classes)
    balanced = params.recipes[line.recipe].class_weighting == "balanced"
    class_weights = balanced_class_weights(train.labels, num_classes) if balanced else None
    return Classroom(device, train, split("validation"), num_classes, class_weights)


def labels_only(room: Classroom) -> Objective:
    """The objective of a teacher, and of a student without one: class-weighted cross-entropy (eq. 5)."""

    def objective(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        task = cross_entropy(logits, batch.labels, room.class_weights)
        return {"loss": task, "task": task, "distill": torch.zeros_like(task)}

    return objective


def write_outcome(outcome: training.Outcome, folder: Path) -> None:
    weights.save(outcome.best, folder / "weights.safetensors")
    weights.save(outcome.last, folder / "last.safetensors")
    rows = pd.DataFrame(outcome.history)
    rows["chosen"] = (rows["epoch"] == outcome.best_epoch).astype(int)
    files.write_text(folder / "history.csv", rows.to_csv(index=False, float_format="%.6f"))
