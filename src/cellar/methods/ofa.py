"""The loss of One-for-All, OFA (Hao et al., NeurIPS 2023, arXiv:2310.19444), on the network's own logits.

    loss = task_weight CE(labels) + distill_weight L
    L    = - sum over classes k of ((p_t[k] + 1[k = y])^g - 1[k = y]) log p_s[k]
    p    = softmax(logits / T), y the label

g enhances the target class: with 1, L is the cross-entropy with the teacher's probabilities. Defaults are those of
CIFAR-100 in the authors' code (Hao840/OFAKD, distillers/ofa.py, where g is called eps): g 1, T 1, both weights 1; an
example for ImageNet has g 1.5. The published method also applies L to classifiers at the ends of the student's stages,
which are not part of this file.
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation


class OFA(LogitDistillation):
    class Params(LogitDistillation.Params):
        temperature: Positive = 1.0  # of both networks
        exponent: Positive = 1.0  # g, above 1 to enhance the target class

    params: Params

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        temperature, exponent = self.params.temperature, self.params.exponent
        return ofa_loss(student_logits, teacher_logits, labels, temperature=temperature, exponent=exponent)


def ofa_loss(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, temperature: float, exponent: float
) -> Tensor:
    """L, a mean over the batch. Logits (B, C), labels (B,); the teacher has no gradient."""
    student, teacher = full_precision(student_logits), full_precision(teacher_logits.detach())
    one_hot = functional.one_hot(labels, student.shape[1])
    enhanced = ((teacher / temperature).softmax(1) + one_hot) ** exponent - one_hot
    return functional.cross_entropy(student / temperature, enhanced)


METHOD = OFA
