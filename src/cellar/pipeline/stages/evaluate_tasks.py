"""`cellar evaluate_tasks EXPERIMENT --seed S`: how well a meta-trained student does few-shot tasks of test images."""

import numpy as np
import torch
from torch import nn

from cellar import config as parameters
from cellar.config import Experiment
from cellar.engine.evaluate import Arrays, Room, evaluate
from cellar.methods.maml import Maml, positional_labels
from cellar.pipeline.stages.meta_train import judge_on, open_maml


class FewShot:
    """Logits (M, Q, ways) of the queries of M fixed tasks, after adaptation and before it."""

    def __init__(self, room: Room) -> None:
        assert isinstance(room.line, Experiment) and room.line.tasks is not None
        self.room, self.wanted = room, room.line.tasks
        self.judge = judge_on(room.split("test"), self.wanted, "test", room.params)

    def build(self) -> nn.Module:
        assert isinstance(self.room.line, Experiment)
        return open_maml(self.room.line, self.wanted, 0, self.room.device)

    def answers(self, model: nn.Module) -> Arrays:
        assert isinstance(model, Maml)
        return {"logits": self.ask(model, adapted=True)}

    def once(self, model: nn.Module) -> Arrays:
        assert isinstance(model, Maml)
        return {"before_logits": self.ask(model, adapted=False)}

    def key(self) -> Arrays:
        return {"labels": positional_labels(1, self.wanted.ways, self.wanted.queries).numpy()}

    @torch.no_grad()
    def ask(self, model: Maml, adapted: bool) -> np.ndarray:
        model.eval()
        split, found = self.judge.split, []
        for index in self.judge.tasks:
            inputs = split.views.cut(split.images[index], torch.zeros_like(index))
            found.append((model(inputs) if adapted else model.before_adaptation(inputs)).float())
        return torch.stack(found).cpu().numpy()


def run(experiment: str, seed: int) -> None:
    line = parameters.load().experiment_by(experiment, "tasks")
    assert line.tasks is not None
    sizes = line.tasks.model_dump(include={"ways", "shots", "queries"})
    evaluate("students", experiment, line, seed, FewShot, **sizes)
