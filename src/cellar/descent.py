"""What moves the weights: SGD, and how its learning rate falls. Both are in the checkpoint."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from cellar.params import Recipe


class Descent:
    """SGD with momentum, ×`plateau_factor` when the validation loss has not fallen for `plateau_patience` epochs
    (Mini-ResEmoteNet, sec. III.D, and ResEmoteNet's own code)."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.optimizer = torch.optim.SGD(
            model.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=recipe.plateau_factor, patience=recipe.plateau_patience
        )

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`, a scalar."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def end_epoch(self, validation_loss: float) -> None:
        self.schedule.step(validation_loss)

    def state(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(copy.copy(state["optimizer"]))
        self.schedule.load_state_dict(state["schedule"])
