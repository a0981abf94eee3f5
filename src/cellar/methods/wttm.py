"""Weighted transformed teacher matching, WTTM (Zheng and Yang, ICLR 2024, arXiv:2402.11148): TTM that weighs images.

    loss = task_weight CE(labels) + distill_weight U KL(q || softmax(student's logits)),  U = sum of p^g over classes

q and g as in TTM, p the teacher's softmax: U is larger where the teacher is less sure. Defaults are those of an example
in the authors' README (zkxufo/TTM, CIFAR-100, VGG13 -> VGG8, where it stands beside CRD): g 0.2, distill_weight 4;
those of other pairs are in the paper's appendix A.4 alone.
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Weight
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation
from cellar.methods.ttm import transformed_divergence


class WTTM(LogitDistillation):
    class Params(LogitDistillation.Params):
        distill_weight: Weight = 4.0  # of what is learnt from the teacher
        exponent: Positive = 0.2  # g, to which the teacher's probabilities are raised: 1 / T

    params: Params

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        return wttm_loss(student_logits, teacher_logits, self.params.exponent)


def wttm_loss(student_logits: Tensor, teacher_logits: Tensor, exponent: float) -> Tensor:
    """Mean over the batch of U KL; logits (B, C). The teacher has no gradient."""
    probabilities = functional.softmax(full_precision(teacher_logits.detach()), dim=1)
    power_sum = (probabilities**exponent).sum(1)
    return (power_sum * transformed_divergence(student_logits, teacher_logits, exponent)).mean()


METHOD = WTTM
