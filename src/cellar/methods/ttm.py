"""Transformed teacher matching, TTM (Zheng and Yang, ICLR 2024, arXiv:2402.11148).

    loss = task_weight CE(labels) + distill_weight KL(q || softmax(student's logits)),  q = p^g / sum of p^g

p is the teacher's softmax; the sum is over classes. The power g is 1 / T of the teacher's temperature; the student has
none, and there is no T². Defaults are those of an example in the authors' README (zkxufo/TTM, CIFAR-100, VGG13, VGG8):
g 0.1, distill_weight 45, cross-entropy 1; those of other pairs are in the paper's appendix A.4 alone.
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Weight
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation


class TTM(LogitDistillation):
    class Params(LogitDistillation.Params):
        distill_weight: Weight = 45.0  # of what is learnt from the teacher
        exponent: Positive = 0.1  # g, to which the teacher's probabilities are raised: 1 / T

    params: Params

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        return transformed_divergence(student_logits, teacher_logits, self.params.exponent).mean()


def transformed_divergence(student_logits: Tensor, teacher_logits: Tensor, exponent: float) -> Tensor:
    """KL(q || softmax(student's logits)) of each image (B,); logits (B, C). The teacher has no gradient."""
    student = functional.log_softmax(full_precision(student_logits), dim=1)
    transformed = functional.log_softmax(exponent * full_precision(teacher_logits.detach()), dim=1)
    return functional.kl_div(student, transformed, reduction="none", log_target=True).sum(1)


METHOD = TTM
