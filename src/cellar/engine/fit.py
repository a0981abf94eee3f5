"""What train_teacher, train_student and distill_student share: data in; weights, history, losses and record out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from cellar import files, models, paths
from cellar.config import Line, Params, Recipe
from cellar.data import prepared
from cellar.data.image_set import ImageSet
from cellar.engine import devices, distributed, run_record, training
from cellar.engine.checkpoints import Checkpoint
from cellar.engine.distributed import Team
from cellar.engine.inference import Split, open_split
from cellar.engine.progress import Progress
from cellar.engine.training import EveryImage, Judge, Objective, Sampler
from cellar.errors import CellarError
from cellar.methods.judges.labels import on_labels
from cellar.methods.losses.cross_entropy import balanced_class_weights
from cellar.methods.objectives.labels import Labels
from cellar.models.checkpoint_files import weights
from cellar.models.freezing import freeze
from cellar.seeding import derive


@dataclass(frozen=True)
class Classroom:
    """What an objective may need: the data on its device, the class weights (C,) or None.

    Rows of `train` are the first rows of the prepared arrays, so that a row means the same image to every recipe.
    """

    device: torch.device
    image_set: ImageSet
    train: Split
    validation: Split | None
    class_weights: Tensor | None
    task_loss: str  # ce or bce
    wanted: dict[str, Any]  # how images become inputs (Params.input_of)

    @property
    def num_classes(self) -> int:
        return len(self.image_set.classes)

    @property
    def askable(self) -> int:
        """Images that some recipe trains on, so that a teacher may be asked of them."""
        return int((self.image_set.split != "test").sum())

    def watched(self, names: Sequence[str]) -> dict[str, Split]:
        """Splits that a recipe watches; nothing is trained or chosen on the test images."""
        test = slice(self.askable, len(self.image_set))
        return {
            name: self.train if name == "train" else open_split(self.image_set, test, self.wanted, self.device)
            for name in names
        }

    def train_as(self, wanted: dict[str, Any]) -> Split:
        """The training images as another model sees them (Params.input_of): at its size, in its normalisation."""
        return open_split(self.image_set, slice(0, len(self.train.labels)), wanted, self.device)


@dataclass(frozen=True)
class Lesson:
    """A training, ready to begin: what is trained, on which images, by which objective, judged how."""

    model: nn.Module
    split: Split
    objective: Objective
    sampler: Sampler
    judge: Judge | None


def fit(
    folder: Path,
    line: Line,
    params: Params,
    seed: int,
    make_objective: Callable[[Classroom], Objective],
    inputs: Sequence[Path] = (),
) -> None:
    """Train the classifier of one line of params.yaml and write `folder`, its results.

    `inputs` are files that the objective reads beside the prepared data.
    """
    models.check_input_size(line.model, params.input_of(line)["input_size"])
    start, recipe = params.start_file(line, seed), params.recipes[line.recipe]

    def prepare_lesson(device: torch.device) -> Lesson:
        room = open_classroom(line, params, device)
        model = open_model(line, room.num_classes, start, seed, device)
        sampler = EveryImage(len(room.train.labels), room.train.views.count, seed, device)
        judge = on_labels(room.validation, room.watched(recipe.watch), params.precision)
        return Lesson(model, room.train, make_objective(room), sampler, judge)

    needed = [paths.prepared(line.dataset) / "arrays.npz", *inputs, *([start] if start else [])]
    train(folder, settings_of(line, params), recipe, params, seed, needed, prepare_lesson)


def open_model(line: Line, num_classes: int, start: Path | None, seed: int, device: torch.device) -> nn.Module:
    """The model of a line before its training: fresh, or with the weights that it starts from."""
    torch.manual_seed(derive(seed, "initial weights"))
    model = models.build(line.model, num_classes)
    fresh = weights.load_trunk(model, start) if start else ()
    if line.freeze:
        freeze(model, line.frozen_batch_norm, fresh)
    return devices.place(model, device)


def train(
    folder: Path,
    settings: dict[str, Any],
    recipe: Recipe,
    params: Params,
    seed: int,
    inputs: Sequence[Path],
    prepare_lesson: Callable[[torch.device], Lesson],
) -> None:
    """Train by a recipe and write `folder`: weights, history, losses and record.

    Hashes of `inputs`, with every parameter and the code, name the checkpoint that a killed run goes on from. Where the
    recipe asks for several processes, this one only starts them.
    """
    if distributed.is_to_launch(recipe.processes):
        distributed.launch(recipe.processes)
        return
    device = devices.prepare(params.threads)
    outputs = [folder / name for name in ("weights.safetensors", "last.safetensors", "history.csv", "losses.npz")]
    facts = {"seed": seed, "threads": params.threads, "device": device.type, "device_name": devices.name(device)}
    hashes = {str(path): run_record.content_hash(path) for path in inputs}
    checkpoint = Checkpoint({**settings, **facts, "inputs": hashes, "code": run_record.code_hash()})
    with distributed.join(device, recipe.processes) as team:
        if not team.is_first:
            learn(folder, prepare_lesson(device), recipe, seed, params.precision, checkpoint, team)
            return
        with run_record.record(folder / "run.json", inputs, outputs, settings, **facts) as record:
            lesson = prepare_lesson(device)
            outcome = learn(folder, lesson, recipe, seed, params.precision, checkpoint, team)
            record["resumed_from_epoch"] = outcome.resumed_from
            record["images_trained"] = (len(outcome.history) - outcome.resumed_from) * lesson.sampler.size
            record.update(lesson.objective.facts())
            write_outcome(outcome, folder)
    checkpoint.remove()


def learn(
    folder: Path, lesson: Lesson, recipe: Recipe, seed: int, precision: str, checkpoint: Checkpoint, team: Team
) -> training.Outcome:
    """Train as the recipe says; the first process of a team shows how far it is."""
    if lesson.judge is None and recipe.select_on != "last_epoch":
        raise CellarError(
            f"{folder}: no image is held out to choose on; hold some out of the data set, or say select_on: last_epoch"
        )
    progress = Progress(
        f"{folder.parent.name} seed {seed}" if team.is_first else None, recipe.epochs * lesson.sampler.size
    )
    return training.train(
        lesson.model, lesson.split, lesson.objective, recipe,
        sampler=lesson.sampler, judge=lesson.judge, seed=seed,
        precision=precision, checkpoint=checkpoint, progress=progress, team=team,
    )  # fmt: skip


def settings_of(line: Line, params: Params) -> dict[str, Any]:
    """Every parameter that a training depends on, resolved."""
    return {
        "line": line.model_dump(exclude={"seeds", "row"}, exclude_none=True),
        "recipe": params.recipes[line.recipe].model_dump(),
        **params.input_of(line),
        "precision": params.precision,
        "threads": params.threads,
    }


def open_classroom(line: Line, params: Params, device: torch.device) -> Classroom:
    recipe, wanted = params.recipes[line.recipe], params.input_of(line)
    image_set = prepared.load(paths.prepared(line.dataset))
    first, second = (int((image_set.split == name).sum()) for name in ("train", "validation"))
    everything = recipe.train_on == "train_and_validation"
    train = open_split(image_set, slice(0, first + second if everything else first), wanted, device)
    held_out = not everything and second > 0
    validation = open_split(image_set, slice(first, first + second), wanted, device) if held_out else None
    balanced = recipe.class_weighting == "balanced"
    class_weights = balanced_class_weights(train.labels, len(image_set.classes)) if balanced else None
    return Classroom(device, image_set, train, validation, class_weights, recipe.task_loss, wanted)


def from_labels(room: Classroom) -> Labels:
    return Labels(room.class_weights, room.task_loss)


def write_outcome(outcome: training.Outcome, folder: Path) -> None:
    weights.save(outcome.best, folder / "weights.safetensors")
    weights.save(outcome.last, folder / "last.safetensors")
    losses = torch.cat(outcome.step_losses).numpy()
    files.write_arrays(folder / "losses.npz", loss=losses)  # (steps,) float32
    rows = pd.DataFrame(outcome.history)
    rows["chosen"] = (rows["epoch"] == outcome.best_epoch).astype(int)
    files.write_text(folder / "history.csv", rows.to_csv(index=False, float_format="%.6f"))
