"""What a training minimises: from a model's logits and a batch to a loss. A method is one class here, one file in losses."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cellar.losses.cross_entropy import cross_entropy
from cellar.losses.logit_kd import distillation_loss
from cellar.params import Experiment
from cellar.progress import Progress
from cellar.teacher_cache import TeacherCache
from cellar.training import Batch, Draw

Losses = dict[str, Tensor]


@dataclass
class Labels:
    """A teacher's objective, and that of a student without one: class-weighted cross-entropy (Mini-ResEmoteNet, eq. 5)."""

    class_weights: Tensor | None  # (C,)

    def begin_epoch(self, draw: Draw) -> None:
        """Nothing is to be known of an epoch beforehand."""

    def __call__(self, logits: Tensor, batch: Batch) -> Losses:
        task = cross_entropy(logits, batch.labels, self.class_weights)
        return {"loss": task, "task": task, "distill": torch.zeros_like(task)}

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass
class LogitDistillation:
    """Labels and a teacher's logits (losses.logit_kd). The teacher is asked of a whole epoch at once, before it."""

    line: Experiment
    teacher: TeacherCache
    class_weights: Tensor | None  # (C,)

    def begin_epoch(self, draw: Draw) -> None:
        progress = Progress("teacher speaks", len(draw.index))
        self.soft_targets = self.teacher.ask(draw.index, draw.view, progress.advance)  # (N, C), in the epoch's order

    def __call__(self, logits: Tensor, batch: Batch) -> Losses:
        return distillation_loss(
            logits,
            self.soft_targets[batch.place],
            batch.labels,
            temperature=self.line.temperature,
            task_weight=self.line.task_weight,
            distill_weight=self.line.distill_weight,
            class_weights=self.class_weights,
            loss_form=self.line.loss_form,
        )

    def facts(self) -> dict[str, Any]:
        return self.teacher.facts()
