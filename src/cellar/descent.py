"""What moves the weights: SGD, and how its learning rate falls. Both are in the checkpoint."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from cellar.params import Recipe, Schedule


class Descent:
    """SGD by a recipe; `end_epoch` moves the learning rate on its schedule."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.optimizer = torch.optim.SGD(
            model.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.schedule = schedule(self.optimizer, recipe.schedule)

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`, a scalar."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def end_epoch(self, validation_loss: float) -> None:
        if isinstance(self.schedule, lr_scheduler.ReduceLROnPlateau):
            self.schedule.step(validation_loss)
        else:
            self.schedule.step()

    def state(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(copy.copy(state["optimizer"]))
        self.schedule.load_state_dict(state["schedule"])


def schedule(optimizer: Optimizer, wanted: Schedule) -> lr_scheduler.LRScheduler:
    """The one way in which `wanted` lets the learning rate fall."""
    if wanted.plateau:
        factor, patience = wanted.plateau.factor, wanted.plateau.patience
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    if wanted.step:
        return lr_scheduler.StepLR(optimizer, wanted.step.every, wanted.step.factor)
    if wanted.milestones:
        return lr_scheduler.MultiStepLR(optimizer, wanted.milestones.epochs, wanted.milestones.factor)
    raise AssertionError("params.Schedule lets exactly one through")
