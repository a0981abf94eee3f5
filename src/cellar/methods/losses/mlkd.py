"""Multi-level logit distillation, MLKD (Jin, Wang, Lin, "Multi-Level Logit Distillation", CVPR 2023).

    L  = task_weight (CE(weak) + CE(strong)) + distill_weight D
    D  = a Σ_T KD(weak; T) + Σ_(first 3 T) KD(strong; T) + Σ_(last 2 T) KD(weak; T)
         + c Σ_T CC(weak; T) + a Σ_T BC(weak; T)
    KD = T² KL(teacher || student)
    CC = |P_tᵀ P_t - P_sᵀ P_s|² / C,   BC = |P_t P_tᵀ - P_s P_sᵀ|² / B,   P = softmax(logits / T), (B, C)

weak and strong are two augmentations of each image. a is the share of images on which the teacher's confidence is at
or below its median, c the share of classes whose summed probability is. In the paper these are masks of images and
classes; in the authors' code (Jin-Ying/Multi-Level-Logit-Distillation, mdistiller/distillers/KD_ours.py) each is
multiplied with a mean, so it is a factor. The last two KD of D are of weak logits there too.

CIFAR-100: task_weight 0.1, distill_weight 0.9, temperatures 4, 3, 5, 2, 6. With LSKD (Sun et al., arXiv:2403.01427) the
logits of KD alone are standardised, distill_weight is 9 and the first temperature 2.

This is no method yet: the training loop gives one augmentation of an image, not two.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import standardised
from cellar.methods.logit_kd import kl_divergence

TEMPERATURES = (4.0, 3.0, 5.0, 2.0, 6.0)
OF_STRONG = 3  # the first temperatures are of the strong augmentation, too


class TwoViews(NamedTuple):
    """Logits (B, C) of a weak and of a strong augmentation of the same images."""

    weak: Tensor
    strong: Tensor


def mlkd_loss(
    student: TwoViews,
    teacher: TwoViews,
    labels: Tensor,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    task_weight: float = 0.1,
    distill_weight: float = 0.9,
    standardise: bool = False,
) -> Tensor:
    """L, a scalar; labels (B,). The teacher has no gradient."""
    student, teacher = (TwoViews(*map(full_precision, views)) for views in (student, teacher))
    task = functional.cross_entropy(student.weak, labels) + functional.cross_entropy(student.strong, labels)
    kd_student, kd_teacher = student, teacher
    if standardise:
        kd_student, kd_teacher = (TwoViews(*map(standardised, views)) for views in (student, teacher))
    weak = [softened_divergence(kd_student.weak, kd_teacher.weak, one) for one in temperatures]
    strong = [softened_divergence(kd_student.strong, kd_teacher.strong, one) for one in temperatures[:OF_STRONG]]
    classes = [class_correlation_loss(student.weak, teacher.weak, one) for one in temperatures]
    batch = [batch_correlation_loss(student.weak, teacher.weak, one) for one in temperatures]
    probabilities = teacher.weak.detach().softmax(1)
    unsure, rare = share_below_median(probabilities.amax(1)), share_below_median(probabilities.sum(0))
    instance = unsure * sum(weak) + sum(strong) + sum(weak[OF_STRONG:])
    return task_weight * task + distill_weight * (instance + rare * sum(classes) + unsure * sum(batch))


def softened_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """KD: T² KL, a mean over the batch; logits (B, C)."""
    return temperature**2 * kl_divergence(student_logits, teacher_logits, temperature)


def class_correlation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """CC: squared differences of the C x C products, summed over both classes, divided by C; logits (B, C)."""
    student, teacher = (student_logits / temperature).softmax(1), (teacher_logits.detach() / temperature).softmax(1)
    return (teacher.T @ teacher - student.T @ student).square().sum() / student.shape[1]


def batch_correlation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """BC: squared differences of the B x B products, summed over both images, divided by B; logits (B, C)."""
    student, teacher = (student_logits / temperature).softmax(1), (teacher_logits.detach() / temperature).softmax(1)
    return (teacher @ teacher.T - student @ student.T).square().sum() / student.shape[0]


def share_below_median(values: Tensor) -> Tensor:
    """The share of values (N,) at or below their median, a scalar: about a half."""
    return (values <= values.median()).to(values.dtype).mean()
