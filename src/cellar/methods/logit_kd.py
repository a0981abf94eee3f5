"""Distillation of logits (Hinton et al., arXiv:1503.02531), as Mini-ResEmoteNet writes it, eq. 4 to 6.

    loss = task_weight CE(labels) + distill_weight T² KL(teacher || student)       loss_form: weighted, the paper's text
    loss =             CE(labels) + distill_weight T² KL(teacher || student)       loss_form: eq6_literal, its eq. 6

Eq. 2 to 4 of the small-dataset study are the weighted form too: its eq. 3 is alpha CE(labels) + (1 - alpha) CE(teacher),
and CE(teacher) is KL plus the teacher's entropy, which is constant. In RepDistiller and mdistiller, the benchmarks of
CIFAR-100, T is 4, task_weight 0.1 and distill_weight 0.9, weighted.

`standardise`: both logits are standardised before the divergence (LSKD, Sun et al., arXiv:2403.01427). Its authors have
T 2, task_weight 0.1 and distill_weight 9 for most pairs (sunshangquan/logit-standardization-KD).

Teacher: logits of every (image, augmentation), from the cache. Sampler: every image once per epoch. Evaluation: accuracy
and loss (Classifier).
"""

from typing import Any, Literal

from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Section, Weight
from cellar.engine.training import Batch, Losses
from cellar.methods.base import cross_entropy, full_precision
from cellar.methods.logit_distillation import LogitDistillation, something_to_learn, standardised


class LogitKD(LogitDistillation):
    class Params(Section):
        """`task_weight` is the paper's alpha; it never gives beta, `distill_weight`, which is taken as 1 - alpha.

        `standardise` is left out of resolved settings where it is false, so that adding it changed none.
        """

        temperature: Positive
        task_weight: Weight
        distill_weight: Weight
        loss_form: Literal["weighted", "eq6_literal"]
        standardise: bool = Field(default=False, exclude_if=lambda on: not on)  # both logits first (LSKD)

        not_both_0 = model_validator(mode="after")(something_to_learn)

    params: Params

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's logits (B, C)."""
        teacher_logits = self.teacher_logits[batch.position]
        weights: dict[str, Any] = self.params.model_dump()
        return distillation_loss(output, teacher_logits, batch.labels, class_weights=self.class_weights, **weights)


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
    standardise: bool = False,
) -> Losses:
    """The loss, and its terms without their weights: task_loss (CE) and distill_loss (T² KL).

    Logits (B, C), labels (B,). Class weights (C,) act on CE alone.
    """
    task = cross_entropy(student_logits, labels, class_weights)
    if standardise:
        student_logits, teacher_logits = standardised(student_logits), standardised(teacher_logits)
    distill = temperature**2 * kl_divergence(student_logits, teacher_logits, temperature)
    weight = 1.0 if loss_form == "eq6_literal" else task_weight
    return {"loss": weight * task + distill_weight * distill, "task_loss": task, "distill_loss": distill}


def kl_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float | Tensor) -> Tensor:
    """Eq. 4: mean over the batch of KL(P || Q); P, Q are softmax(logits / T) of teacher and student.

    Both (B, C). The teacher receives no gradient.
    """
    student = functional.log_softmax(full_precision(student_logits) / temperature, dim=1)
    teacher = functional.log_softmax(full_precision(teacher_logits.detach()) / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


METHOD = LogitKD
