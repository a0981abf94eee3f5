"""What moves the weights: SGD or Adam, and how its learning rate falls. Both are in the checkpoint."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler

from cellar.config import Recipe, Schedule

ADAM_BETAS = (0.9, 0.999)  # PyTorch's own


class Descent:
    """SGD or Adam by a recipe; `end_epoch` moves the learning rate on its schedule."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.optimizer = optimizer(model, recipe)
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


def optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Weight decay is added to the gradient, by either."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        betas = (float(recipe.betas[0]), float(recipe.betas[1])) if recipe.betas else ADAM_BETAS
        return torch.optim.Adam(model.parameters(), lr=rate, betas=betas, weight_decay=decay, fused=True)
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=recipe.momentum, weight_decay=decay, fused=True)


def schedule(optimizer: Optimizer, wanted: Schedule) -> lr_scheduler.LRScheduler:
    """The one way in which `wanted` lets the learning rate fall."""
    if wanted.plateau:
        factor, patience = wanted.plateau.factor, wanted.plateau.patience
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    if wanted.step:
        return lr_scheduler.StepLR(optimizer, wanted.step.every, wanted.step.factor)
    if wanted.milestones:
        return lr_scheduler.MultiStepLR(optimizer, wanted.milestones.epochs, wanted.milestones.factor)
    if wanted.inverse_sqrt:
        return lr_scheduler.LambdaLR(optimizer, over_square_root)
    raise AssertionError("params.Schedule lets exactly one through")


def over_square_root(epochs: int) -> float:
    """1 / sqrt(1 + t) after t epochs (small-dataset study, 6.2)."""
    return 1 / math.sqrt(1 + epochs)
