"""From resolved settings to a training: builds data, network, method and teacher; writes weights, history, losses, record."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import distributed, nn

from cellar import files, models, paths
from cellar.config import Recipe
from cellar.config.resolved import GeneratorSettings, TrainingSettings
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import Split
from cellar.engine import run_record, runtime
from cellar.engine.checkpoint import Checkpoint, epochs_of
from cellar.engine.distributed import SINGLE_PROCESS, DistributedContext, join, launch
from cellar.engine.runtime import Progress
from cellar.engine.train_data import TrainData
from cellar.engine.training import Evaluator, LearningRule, Sampler, TrainResult, total_epochs, train
from cellar.errors import CellarError
from cellar.seeding import derive


class Method(LearningRule, Protocol):
    """What a training needs from a method; cellar.methods.base documents the whole interface."""

    def check(self, settings: TrainingSettings) -> None: ...
    def inputs(self, settings: TrainingSettings) -> list[Path]: ...
    def num_outputs(self, num_classes: int) -> int: ...
    def wrap(self, model: nn.Module) -> nn.Module: ...
    def prepare(self, data: TrainData) -> None: ...
    def train_split(self, data: TrainData) -> Split: ...
    def sampler(self, data: TrainData) -> Sampler: ...
    def evaluator(self, data: TrainData) -> Evaluator | None: ...
    def facts(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class TrainingSetup:
    """A training ready to start; `facts` are what the method adds to the run record."""

    model: nn.Module
    split: Split
    method: LearningRule
    sampler: Sampler
    evaluator: Evaluator | None
    facts: Callable[[], dict[str, Any]]


def load_method(settings: dict[str, Any], file: str) -> Any:
    """The method of resolved settings, with its parameters."""
    method = files.load_module(file).METHOD
    return method(method.Params.model_validate({key: value for key, value in settings.items() if key != "name"}))


def run(settings: TrainingSettings, code: Sequence[str] = ()) -> dict[str, Any] | None:
    """Train a teacher or a student and write its folder of results; return facts for the run record.

    `code`: files and folders on which the result depends; while they are the same, a killed training resumes.
    """
    method: Method = load_method(settings.method, settings.method_file)
    method.check(settings)
    models.check_input_size(settings.model, settings.input.input_size, settings.model_file)
    inputs = [paths.prepared(settings.dataset) / "arrays.npz", *method.inputs(settings)]
    inputs += [Path(settings.start)] if settings.start else []

    def build_setup(device: torch.device) -> TrainingSetup:
        data = TrainData(settings, prepared.load(paths.prepared(settings.dataset)), device)
        network = build_network(settings, method.num_outputs(data.num_classes), device)
        model = runtime.place(method.wrap(network), device)
        method.prepare(data)
        split, sampler = method.train_split(data), method.sampler(data)
        return TrainingSetup(model, split, method, sampler, method.evaluator(data), method.facts)

    folder = paths.trained(settings.kind, settings.key, settings.seed)
    return run_training(folder, settings, settings.precision, inputs, build_setup, code)


def build_network(settings: TrainingSettings, num_classes: int, device: torch.device) -> nn.Module:
    """The network before its training: with fresh weights, or with those that it starts from."""
    torch.manual_seed(derive(settings.seed, "initial weights"))
    model = models.build(settings.model, num_classes, settings.model_file)
    if settings.start:
        from cellar.models.checkpoint_files.weights import load_trunk
        from cellar.models.freezing import freeze

        start = Path(settings.start)
        # A study may give one of its own trainings other inputs on purpose; to a published file it is a mistake.
        inputs = None if start.is_relative_to(paths.RESULTS) else settings.input.normalisation
        fresh_layers = load_trunk(model, start, inputs, settings.start_key)
        if settings.freeze:
            freeze(model, settings.frozen_batch_norm, fresh_layers)
    side = settings.input.input_size
    return runtime.place(model, device, (settings.recipe.batch_size, 3, side, side), settings.precision)


def run_training(
    folder: Path,
    settings: TrainingSettings | GeneratorSettings,
    precision: str,
    inputs: Sequence[Path],
    build_setup: Callable[[torch.device], TrainingSetup],
    code: Sequence[str] = (),
) -> dict[str, Any] | None:
    """Train by the settings' recipe and write `folder`: weights, history and losses. Returns facts for the run record.

    A killed run resumes from its checkpoint while the settings, `inputs` and `code` are the same. If the recipe needs
    several processes, this one starts them and returns None: the first of them writes the record.
    """
    processes = settings.recipe.processes
    launched = distributed.is_torchelastic_launched()
    if processes > 1 and not launched:
        launch(processes)
        return None
    device = runtime.prepare(settings.threads)
    facts = {"seed": settings.seed, **runtime.device_facts(device, settings.threads)}
    checkpoint = Checkpoint(
        str(folder.relative_to(paths.RESULTS)) if folder.is_relative_to(paths.RESULTS) else str(folder),
        identity_of(settings, device, inputs, code),
        runtime.device_name(device),
    )
    with join(device, processes) if launched else nullcontext(SINGLE_PROCESS) as context:
        if context.rank:
            train_with(build_setup(device), settings.recipe, folder, settings.seed, precision, checkpoint, context)
            return None
        setup = build_setup(device)
        with files.unchanged(
            [paths.source_file(path) for path in (settings.method_file, *code)]
        ):  # while it can resume
            result = train_with(setup, settings.recipe, folder, settings.seed, precision, checkpoint, context)
        facts |= {
            "resumed_from_epoch": result.resumed_from,
            "images_trained": (len(result.history) - result.resumed_from) * setup.sampler.size,
            **processors_of(result),
            **setup.facts(),
        }
        write_result(result, folder)
    checkpoint.remove()
    return facts


def identity_of(
    settings: TrainingSettings | GeneratorSettings, device: torch.device, inputs: Sequence[Path], code: Sequence[str]
) -> dict[str, Any]:
    """What a training that resumes must have in common with the one that was killed."""
    hashes = {str(path): run_record.content_hash(path) for path in inputs}
    return {
        **settings.model_dump(mode="json"),
        "device": device.type,
        "torch": torch.__version__,
        "files": hashes | run_record.file_hashes([settings.method_file, *code]),
    }


def processors_of(result: TrainResult) -> dict[str, str]:
    """For the run record: which epochs ran where, if not all of them on one type of processor."""
    return {"processors": epochs_of(result.processors)} if len(set(result.processors)) > 1 else {}


def train_with(
    setup: TrainingSetup,
    recipe: Recipe,
    folder: Path,
    seed: int,
    precision: str,
    checkpoint: Checkpoint,
    context: DistributedContext,
) -> TrainResult:
    if setup.evaluator is None and recipe.select_on != "last_epoch":
        raise CellarError(
            f"{folder}: no image is held out to choose on; hold some out of the data set, or say select_on: last_epoch"
        )
    title = None if context.rank else f"{folder.parent.name} seed {seed}"
    progress = Progress(title, total_epochs(setup.method, recipe) * setup.sampler.size)
    return train(
        setup.model, setup.split, setup.method, recipe, sampler=setup.sampler, evaluator=setup.evaluator, seed=seed,
        precision=precision, checkpoint=checkpoint, progress=progress, context=context,
    )  # fmt: skip


def write_result(result: TrainResult, folder: Path) -> None:
    files.write_tensors(folder / "weights.safetensors", result.best)
    files.write_tensors(folder / "last.safetensors", result.last)
    files.write_arrays(folder / "losses.npz", loss=torch.cat(result.step_losses).numpy())  # (steps,) float32
    rows = [row | {"chosen": int(row["epoch"] == result.best_epoch)} for row in result.history]
    types = list(dict.fromkeys(result.processors))
    if len(types) > 1:  # numbered in the order of their use: no machine makes these bits again
        rows = [row | {"processor": 1 + types.index(name)} for row, name in zip(rows, result.processors, strict=True)]
    files.write_csv(folder / "history.csv", rows)
