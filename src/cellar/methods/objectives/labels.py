"""Learning from labels: a teacher's objective, and that of a student without one."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cellar.engine.training import Batch, Draw
from cellar.methods.losses.binary_cross_entropy import binary_cross_entropy
from cellar.methods.losses.cross_entropy import cross_entropy


@dataclass
class Labels:
    """A teacher's objective, and that of a student without one: class-weighted cross-entropy (Mini-ResEmoteNet, eq. 5),
    or binary cross-entropy, which knows no class weights (small-dataset study, 6.2)."""

    class_weights: Tensor | None  # (C,)
    task_loss: str = "ce"

    def begin_epoch(self, draw: Draw) -> None:
        """Nothing is to be known of an epoch beforehand."""

    def __call__(self, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        if self.task_loss == "bce":
            task = binary_cross_entropy(logits, batch.labels)
        else:
            task = cross_entropy(logits, batch.labels, self.class_weights)
        return {"loss": task, "task": task, "distill": torch.zeros_like(task)}

    def facts(self) -> dict[str, Any]:
        return {}
