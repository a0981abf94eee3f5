"""What train_teacher, train_student and distill_student share: data in; weights, history, losses and record out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from cellar import devices, evaluation, files, models, paths, provenance, training
from cellar.checkpoints import Checkpoint
from cellar.datasets import prepared
from cellar.evaluation import Split
from cellar.losses.cross_entropy import balanced_class_weights
from cellar.models import weights
from cellar.objectives import Labels
from cellar.params import Experiment, Params, Teacher
from cellar.progress import Progress
from cellar.seeding import derive
from cellar.training import EveryImage, Objective
from cellar.views import to_tensor, view_set


@dataclass(frozen=True)
class Classroom:
    """What an objective may need: the data on its device, the class weights (C,) or None.

    Rows of `train` are the first rows of the prepared arrays, so that a row means the same image to every recipe.
    """

    device: torch.device
    train: Split
    validation: Split | None
    num_classes: int
    class_weights: Tensor | None
    askable: int  # images that some recipe trains on, so that a teacher may be asked of them


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
    models.check_input_size(line.model, params.datasets[line.dataset].input_size)
    device = devices.prepare(params.threads)
    inputs = [paths.prepared(line.dataset) / "arrays.npz", *inputs]
    outputs = [folder / name for name in ("weights.safetensors", "last.safetensors", "history.csv", "losses.npz")]
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
        sampler = EveryImage(len(room.train.labels), room.train.views.count, seed, device)
        judge = (
            partial(evaluation.score, split=room.validation, precision=params.precision) if room.validation else None
        )
        outcome = training.train(
            model, room.train, objective, recipe,
            sampler=sampler, judge=judge, seed=seed, precision=params.precision, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
        record["resumed_from_epoch"] = outcome.resumed_from
        record["images_trained"] = (len(outcome.history) - outcome.resumed_from) * len(room.train.labels)
        record.update(objective.facts())
        write_outcome(outcome, folder)
    checkpoint.remove()


def settings_of(line: Teacher | Experiment, params: Params) -> dict[str, Any]:
    """Every parameter that a training depends on, resolved."""
    dataset = params.datasets[line.dataset]
    return {
        "line": line.model_dump(exclude={"seeds", "row"}),
        "recipe": params.recipes[line.recipe].model_dump(),
        **dataset.model_dump(include={"input_size", "augmentation", "normalisation"}),
        "precision": params.precision,
        "threads": params.threads,
    }


def open_classroom(line: Teacher | Experiment, params: Params, device: torch.device) -> Classroom:
    dataset, recipe = params.datasets[line.dataset], params.recipes[line.recipe]
    image_set = prepared.load(paths.prepared(line.dataset))
    views = view_set(dataset.augmentation, dataset.normalisation)
    counts = [int((image_set.split == name).sum()) for name in ("train", "validation")]

    def rows(start: int, stop: int) -> Split:
        images = to_tensor(image_set.images[start:stop], dataset.input_size, device)
        return Split(images, torch.from_numpy(image_set.labels[start:stop]).to(device), views)

    everything = recipe.train_on == "train_and_validation"
    train = rows(0, sum(counts) if everything else counts[0])
    validation = None if everything else rows(counts[0], sum(counts))
    num_classes = len(image_set.classes)
    balanced = recipe.class_weighting == "balanced"
    class_weights = balanced_class_weights(train.labels, num_classes) if balanced else None
    return Classroom(device, train, validation, num_classes, class_weights, sum(counts))


def from_labels(room: Classroom) -> Labels:
    return Labels(room.class_weights)


def write_outcome(outcome: training.Outcome, folder: Path) -> None:
    weights.save(outcome.best, folder / "weights.safetensors")
    weights.save(outcome.last, folder / "last.safetensors")
    losses = torch.cat(outcome.step_losses).numpy()
    files.write_arrays(folder / "losses.npz", loss=losses)  # (steps,) float32
    rows = pd.DataFrame(outcome.history)
    rows["chosen"] = (rows["epoch"] == outcome.best_epoch).astype(int)
    files.write_text(folder / "history.csv", rows.to_csv(index=False, float_format="%.6f"))
