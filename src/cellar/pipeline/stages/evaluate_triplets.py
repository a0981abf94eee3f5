"""`cellar evaluate_triplets EXPERIMENT --seed S`: which test images a one-shot student finds alike."""

import numpy as np
from torch import nn

from cellar import config as parameters
from cellar import models
from cellar.config import Experiment
from cellar.engine.evaluate import Arrays, Room, evaluate
from cellar.models.features_of import FeaturesOf
from cellar.pipeline.stages.train_siamese import judge_on


class Distances:
    """Squared distances (M, 2) of fixed triplets of test images, and of training images."""

    def __init__(self, room: Room) -> None:
        assert isinstance(room.line, Experiment) and room.line.triplets is not None
        self.room, self.wanted = room, room.line.triplets
        self.judge = judge_on({name: room.split(name) for name in ("train", "test")}, self.wanted, room.params)

    def build(self) -> nn.Module:
        return FeaturesOf(models.build(self.room.line.model, len(self.room.image_set.classes)))

    def answers(self, model: nn.Module) -> Arrays:
        return {"distances": self.of("test", model)}

    def once(self, model: nn.Module) -> Arrays:
        return {"train_distances": self.of("train", model)}

    def key(self) -> Arrays:
        index = np.flatnonzero(self.room.image_set.split == "test")
        return {"index": index[self.judge.splits["test"][1].cpu().numpy()], "margin": np.array(self.wanted.margin)}

    def of(self, name: str, model: nn.Module) -> np.ndarray:
        return self.judge.distances(model, *self.judge.splits[name]).cpu().numpy()


def run(experiment: str, seed: int) -> None:
    line = parameters.load().experiment_by(experiment, "triplets")
    evaluate("students", experiment, line, seed, Distances)
