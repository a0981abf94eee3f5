"""Decoupled distillation, DKD (Zhao et al., CVPR 2022, arXiv:2203.08679, eq. 6 and 7).

    loss = task_weight CE(labels) + distill_weight w(e) (target_weight TCKD + non_target_weight NCKD)
    TCKD = T² KL(b_t || b_s),    b = (p_y, 1 - p_y) of softmax(logits / T), y the label
    NCKD = T² KL(q_t || q_s),    q = softmax(logits / T) over the classes other than y
    w(e) = min(e / warm_up, 1),  e the epoch, counted from 1

target_weight is the paper's alpha, non_target_weight its beta. Defaults are those of CIFAR-100 in the authors' code
(megvii-research/mdistiller, mdistiller/distillers/DKD.py and configs/cifar100/dkd): T 4, alpha 1, 20 epochs of warm-up,
and beta 8, of ResNet8x4 and ShuffleNet students; 6 between WRN and from VGG13, 2 from ResNet56 and ResNet110.

`standardise`: both logits are standardised first (LSKD, Sun et al., arXiv:2403.01427). Its authors then have
temperature 2 and distill_weight 9 for most pairs (sunshangquan/logit-standardization-KD).

The authors' code takes the logarithm of 1 - p_y as a sum of probabilities: inf in float32 once a student is sure of its
class. Here the logarithms come from the logits: the loss and its gradients stay finite, and are the same otherwise.
"""

import torch
from torch import Tensor

from cellar.config.section import Count, Positive, Weight
from cellar.engine.training import EpochIndices
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation, standardised, without_label
from cellar.methods.logit_kd import kl_divergence


class DKD(LogitDistillation):
    class Params(LogitDistillation.Params):
        temperature: Positive = 4.0  # of both networks
        target_weight: Weight = 1.0  # of TCKD, the label against all other classes: alpha in the paper
        non_target_weight: Weight = 8.0  # of NCKD, among the other classes: beta in the paper
        warm_up: Count = 20  # epochs until the teacher's term has its full weight
        standardise: bool = False  # both logits first (LSKD)

    params: Params

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        super().begin_epoch(epoch, indices)
        self.warmth = min((epoch + 1) / self.params.warm_up, 1.0)

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        if self.params.standardise:
            student_logits, teacher_logits = standardised(student_logits), standardised(teacher_logits)
        return self.warmth * dkd_loss(
            student_logits,
            teacher_logits,
            labels,
            temperature=self.params.temperature,
            target_weight=self.params.target_weight,
            non_target_weight=self.params.non_target_weight,
        )


def dkd_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float,
    target_weight: float,
    non_target_weight: float,
) -> Tensor:
    """target_weight TCKD + non_target_weight NCKD, means over the batch. Logits (B, C), labels (B,)."""
    student, teacher = full_precision(student_logits) / temperature, full_precision(teacher_logits) / temperature
    target = kl_divergence(label_and_rest(student, labels), label_and_rest(teacher, labels), 1)
    non_target = kl_divergence(without_label(student, labels), without_label(teacher, labels), 1)
    return temperature**2 * (target_weight * target + non_target_weight * non_target)


def label_and_rest(logits: Tensor, labels: Tensor) -> Tensor:
    """Two logits a row (B, 2), whose softmax is (p_y, 1 - p_y); logits (B, C), labels (B,)."""
    rest = without_label(logits, labels).logsumexp(1)
    return torch.stack([logits.gather(1, labels[:, None])[:, 0], rest], dim=1)


METHOD = DKD
