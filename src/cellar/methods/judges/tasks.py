"""Scores of a meta-trained student: how well it does after adapting to a task."""

from dataclasses import dataclass

from torch import Tensor, nn

from cellar.engine.inference import Split
from cellar.methods.maml import Maml, score_tasks


@dataclass(frozen=True)
class OnTasks:
    """Loss and accuracy after adapting to fixed tasks of a split."""

    split: Split
    tasks: Tensor
    precision: str

    def __call__(self, model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Maml)
        found = score_tasks(model, self.split, self.tasks, self.precision)
        return {"validation_loss": found["loss"], "validation_accuracy": found["accuracy"]}
