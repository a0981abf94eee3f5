"""`cellar meta_train EXPERIMENT --seed S`: MAML, a student that learns to learn few-shot tasks."""

from functools import partial

import torch

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Experiment, Params, Tasks
from cellar.engine import devices
from cellar.engine.fit import Lesson, open_classroom, open_model, settings_of, train
from cellar.engine.inference import Split
from cellar.engine.samplers import RandomTasks, fixed_tasks
from cellar.methods.judges.tasks import OnTasks
from cellar.methods.maml import Maml, query_loss
from cellar.methods.objectives.of_output import OfOutput
from cellar.seeding import derive


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment_by(experiment, "tasks")
    wanted = line.tasks
    assert wanted is not None
    models.check_input_size(line.model, params.input_of(line)["input_size"])

    def prepare_lesson(device: torch.device) -> Lesson:
        room = open_classroom(line, params, device)
        sizes = wanted.per_epoch, wanted.ways, wanted.shots, wanted.queries
        sampler = RandomTasks(room.train.labels, *sizes, room.train.views.count, seed)
        objective = OfOutput(partial(query_loss, ways=wanted.ways, queries=wanted.queries))
        judge = judge_on(room.validation, wanted, "validation", params) if room.validation else None
        return Lesson(open_maml(line, wanted, seed, device), room.train, objective, sampler, judge)

    inputs = [paths.prepared(line.dataset) / "arrays.npz"]
    folder = paths.trained("students", experiment, seed)
    train(folder, settings_of(line, params), params.recipes[line.recipe], params, seed, inputs, prepare_lesson)


def open_maml(line: Experiment, wanted: Tasks, seed: int, device: torch.device) -> Maml:
    """The line's network with as many outputs as a task has classes."""
    sizes = wanted.ways, wanted.shots, wanted.queries
    model = open_model(line, wanted.ways, None, seed, device)
    maml = Maml(model, *sizes, wanted.inner_learning_rate, wanted.inner_steps, wanted.first_order)
    devices.place(maml, device)
    return maml


def judge_on(split: Split, wanted: Tasks, name: str, params: Params) -> OnTasks:
    """As many fixed tasks of a split as an epoch has; the same for every line and seed."""
    sizes = wanted.per_epoch, wanted.ways, wanted.shots, wanted.queries
    return OnTasks(split, fixed_tasks(split.labels, *sizes, derive(0, name)), params.precision)
