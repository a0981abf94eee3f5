"""`cellar train_siamese EXPERIMENT --seed S`: one-shot learning; features of one identity are drawn together."""

from functools import partial

import torch

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Params, Triplets
from cellar.engine import devices
from cellar.engine.fit import Lesson, open_classroom, open_model, settings_of, train
from cellar.engine.inference import Split
from cellar.engine.samplers import RandomTriplets, fixed_triplets
from cellar.methods.judges.triplets import OnTriplets
from cellar.methods.losses.triplet import ordered_triplet_loss
from cellar.methods.objectives.of_output import OfOutput
from cellar.models.features_of import FeaturesOf
from cellar.seeding import derive


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment_by(experiment, "triplets")
    wanted, recipe = line.triplets, params.recipes[line.recipe]
    assert wanted is not None
    models.check_input_size(line.model, params.input_of(line)["input_size"])
    start = params.start_file(line, seed)

    def prepare_lesson(device: torch.device) -> Lesson:
        room = open_classroom(line, params, device)
        model = devices.place(FeaturesOf(open_model(line, room.num_classes, start, seed, device)), device)
        sampler = RandomTriplets(room.train.labels, wanted.per_epoch, room.train.views.count, seed)
        objective = OfOutput(partial(ordered_triplet_loss, margin=wanted.margin))
        held_out = {"validation": room.validation} if room.validation else {}
        judge = judge_on(held_out | room.watched(recipe.watch), wanted, params)
        return Lesson(model, room.train, objective, sampler, judge)

    inputs = [paths.prepared(line.dataset) / "arrays.npz", *([start] if start else [])]
    folder = paths.trained("students", experiment, seed)
    train(folder, settings_of(line, params), recipe, params, seed, inputs, prepare_lesson)


def judge_on(splits: dict[str, Split], wanted: Triplets, params: Params) -> OnTriplets:
    """As many fixed triplets of each split as an epoch has; the same for every line and seed."""
    fixed = {
        name: (split, fixed_triplets(split.labels, wanted.per_epoch, derive(0, name))) for name, split in splits.items()
    }
    return OnTriplets(fixed, wanted.margin, params.precision)
