"""Normalised distillation, NKD (Yang et al., ICCV 2023, arXiv:2303.13005).

    loss = task_weight CE(labels) + distill_weight (L_target + non_target_weight L_other)
    L_target = -p_t[y] log p_s[y],          p = softmax(logits), y the label
    L_other  = -T² sum over i ≠ y of q_t[i] log q_s[i],    q = softmax(logits / T) over the classes other than y

Both are cross-entropies, which never reach 0. non_target_weight is the paper's gamma. Defaults are those of CIFAR-100,
ResNet34 -> ResNet18, in the authors' code (yzd-v/cls_KD, mmcls/models/dis_losses/nkd.py and its configs): T 3,
gamma 3.5, cross-entropy 1; for ImageNet T 1 and gamma 1.5.
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Weight
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation, without_label


class NKD(LogitDistillation):
    class Params(LogitDistillation.Params):
        temperature: Positive = 3.0  # among the classes other than the label's
        non_target_weight: Weight = 3.5  # of these classes: the paper's gamma

    params: Params

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        temperature, weight = self.params.temperature, self.params.non_target_weight
        return nkd_loss(student_logits, teacher_logits, labels, temperature=temperature, non_target_weight=weight)


def nkd_loss(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, temperature: float, non_target_weight: float
) -> Tensor:
    """L_target + non_target_weight L_other, means over the batch. Logits (B, C), labels (B,).

    The teacher has no gradient.
    """
    student, teacher = full_precision(student_logits), full_precision(teacher_logits.detach())
    certainty = teacher.softmax(1).gather(1, labels[:, None])[:, 0]
    target = (certainty * functional.cross_entropy(student, labels, reduction="none")).mean()
    others = without_label(teacher / temperature, labels).softmax(1)
    non_target = functional.cross_entropy(without_label(student / temperature, labels), others)
    return target + non_target_weight * temperature**2 * non_target


METHOD = NKD
