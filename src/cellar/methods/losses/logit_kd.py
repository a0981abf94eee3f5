"""Distillation of logits (Hinton et al., arXiv:1503.02531), as Mini-ResEmoteNet writes it, eq. 4 to 6."""

from typing import Literal

from torch import Tensor
from torch.nn import functional

from cellar.methods.losses.cross_entropy import cross_entropy


def kl_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """Eq. 4: mean over the batch of KL(P || Q); P, Q are softmax(logits / T) of teacher and student.

    Both (B, C). No gradient reaches the teacher.
    """
    student = functional.log_softmax(student_logits.float() / temperature, dim=1)
    teacher = functional.log_softmax(teacher_logits.detach().float() / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


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
) -> dict[str, Tensor]:
    """`weighted`: task_weight CE + distill_weight T² KL, what the paper's text describes; `eq6_literal`:
    CE + distill_weight T² KL, what its eq. 6 prints. Class weights (C,) act on CE alone.

    Logits (B, C), labels (B,). Returns the loss to minimise and its parts, CE and T² KL, without their
    weights: {"loss", "task", "distill"}.
    """
    task = cross_entropy(student_logits, labels, class_weights)
    distill = temperature**2 * kl_divergence(student_logits, teacher_logits, temperature)
    weight = 1.0 if loss_form == "eq6_literal" else task_weight
    return {"loss": weight * task + distill_weight * distill, "task": task, "distill": distill}
