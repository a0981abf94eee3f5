"""Learning from labels and a teacher's logits."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cellar.config import Experiment
from cellar.engine.progress import Progress
from cellar.engine.teacher_logits import TeacherCache
from cellar.engine.training import Batch, Draw
from cellar.methods.losses.logit_kd import distillation_loss


@dataclass
class LogitDistillation:
    """Labels and a teacher's logits (losses.logit_kd). The teacher is asked of a whole epoch at once, before it."""

    line: Experiment
    teacher: TeacherCache
    class_weights: Tensor | None  # (C,)

    def begin_epoch(self, draw: Draw) -> None:
        progress = Progress("teacher speaks", len(draw.index))
        self.soft_targets = self.teacher.ask(draw.index, draw.view, progress.advance)  # (N, C), in the epoch's order

    def __call__(self, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
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
