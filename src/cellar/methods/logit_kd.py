"""Distillation of logits (Hinton et al., arXiv:1503.02531), as Mini-ResEmoteNet writes it, eq. 4 to 6.

    loss = task_weight CE(labels) + distill_weight T² KL(teacher || student)       loss_form: weighted, the paper's text
    loss =             CE(labels) + distill_weight T² KL(teacher || student)       loss_form: eq6_literal, its eq. 6

Eq. 2 to 4 of the small-dataset study are the weighted form too: its eq. 3 is alpha CE(labels) + (1 - alpha) CE(teacher),
and CE(teacher) is KL plus the teacher's entropy, which is constant.

Teacher: logits of every (image, augmentation), from the cache. Sampler: every image once per epoch. Evaluation: accuracy
and loss (Classifier).
"""

from typing import Any, Literal, Self

from pydantic import model_validator
from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Section, Weight
from cellar.engine.setup import TrainData
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.methods.base import Classifier, cross_entropy


class LogitKD(Classifier):
    class Params(Section):
        """`task_weight` is the paper's alpha; it never gives beta, `distill_weight`, which is taken as 1 - alpha."""

        temperature: Positive
        task_weight: Weight
        distill_weight: Weight
        loss_form: Literal["weighted", "eq6_literal"]

        @model_validator(mode="after")
        def something_to_learn(self) -> Self:
            if self.task_weight == 0 and self.distill_weight == 0:
                raise ValueError("task_weight and distill_weight are both 0: nothing would be learnt")
            return self

    params: Params
    needs_teacher = "logits"
    class_weights: Tensor | None = None  # (C,)

    def prepare(self, data: TrainData) -> None:
        self.teacher, self.class_weights = data.teacher, data.class_weights

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        """Get the teacher's logits of the whole epoch (N, C), in the epoch's order."""
        self.teacher_logits = self.teacher.logits(indices.image, indices.augmentation)

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's logits (B, C)."""
        teacher_logits = self.teacher_logits[batch.position]
        weights: dict[str, Any] = self.params.model_dump()
        return distillation_loss(output, teacher_logits, batch.labels, class_weights=self.class_weights, **weights)

    def facts(self) -> dict[str, Any]:
        return self.teacher.facts()


def distillation_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float,
    task_weight: float,
    distill_weight: float,
    class_weights: Tensor | None = None,
    loss_form: Literal["weighted", "eq6_literal"] = "weighted",
) -> Losses:
    """The loss, and its terms without their weights: task_loss (CE) and distill_loss (T² KL).

    Logits (B, C), labels (B,). Class weights (C,) act on CE alone.
    """
    task = cross_entropy(student_logits, labels, class_weights)
    distill = temperature**2 * kl_divergence(student_logits, teacher_logits, temperature)
    weight = 1.0 if loss_form == "eq6_literal" else task_weight
    return {"loss": weight * task + distill_weight * distill, "task_loss": task, "distill_loss": distill}


def kl_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """Eq. 4: mean over the batch of KL(P || Q); P, Q are softmax(logits / T) of teacher and student.

    Both (B, C). The teacher receives no gradient.
    """
    student = functional.log_softmax(student_logits.float() / temperature, dim=1)
    teacher = functional.log_softmax(teacher_logits.detach().float() / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


METHOD = LogitKD
