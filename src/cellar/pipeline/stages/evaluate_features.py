"""`cellar evaluate_features EXPERIMENT --seed S`: how near a pre-trained student is to its teacher on the test images."""

from pathlib import Path

import numpy as np
from torch import nn

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Experiment
from cellar.engine.evaluate import Arrays, Room, evaluate
from cellar.methods.judges.features import OnFeatures
from cellar.models.features_of import FeaturesOf
from cellar.pipeline.stages.pretrain_student import judge_on


class TeachersFeatures:
    """Features (N, D) of the test images, beside the teacher's."""

    def __init__(self, room: Room, known: Path) -> None:
        assert isinstance(room.line, Experiment)
        self.room = room
        self.judge: OnFeatures = judge_on(room.line, room.params, room.image_set, known, "test", room.device)

    def build(self) -> nn.Module:
        return FeaturesOf(models.build(self.room.line.model, len(self.room.image_set.classes)))

    def answers(self, model: nn.Module) -> Arrays:
        return {"features": self.judge.features(model)}

    def once(self, model: nn.Module) -> Arrays:
        return {}

    def key(self) -> Arrays:
        return {"wanted": self.judge.wanted, "index": np.flatnonzero(self.room.image_set.split == "test")}


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment_by(experiment, "features")
    assert line.features is not None
    known = paths.features(line.features.faces, str(line.teacher))
    faces = {"name": line.features.faces, "count": params.faces_of(line.features.faces).count}
    inputs = [known / "held_out.npz"]
    evaluate("students", experiment, line, seed, lambda room: TeachersFeatures(room, known), inputs, faces=faces)
