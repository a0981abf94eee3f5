"""Distillation from a stronger teacher, DIST (Huang et al., NeurIPS 2022, arXiv:2205.10536).

    loss = task_weight CE(labels) + distill_weight (inter_weight L_inter + intra_weight L_intra)
    L_inter = T² (1 - mean over images of the Pearson correlation of p_s and p_t across classes)
    L_intra = T² (1 - mean over classes of the Pearson correlation of p_s and p_t across the batch)
    p = softmax(logits / T)

inter_weight is the paper's beta, intra_weight its gamma. L_intra depends on the batch size. Defaults are those of
CIFAR-100 in the authors' code (hunto/image_classification_sota, lib/models/losses/dist_kd.py): T 4, beta and gamma 1,
cross-entropy 1, and distill_weight 2; for ImageNet T 1.
"""

from torch import Tensor
from torch.linalg import vector_norm

from cellar.config.section import Positive, Weight
from cellar.methods.base import full_precision
from cellar.methods.logit_distillation import LogitDistillation

EPSILON = 1e-8  # added to the product of the two norms, as in the authors' code


class DIST(LogitDistillation):
    class Params(LogitDistillation.Params):
        distill_weight: Weight = 2.0  # of what is learnt from the teacher
        temperature: Positive = 4.0  # of both networks
        inter_weight: Weight = 1.0  # of the correlation across the classes of an image: the paper's beta
        intra_weight: Weight = 1.0  # of the correlation across the images of a batch: the paper's gamma

    params: Params

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        return dist_loss(
            student_logits,
            teacher_logits,
            temperature=self.params.temperature,
            inter_weight=self.params.inter_weight,
            intra_weight=self.params.intra_weight,
        )


def dist_loss(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float, inter_weight: float, intra_weight: float
) -> Tensor:
    """inter_weight L_inter + intra_weight L_intra. Logits (B, C); the teacher has no gradient."""
    student = (full_precision(student_logits) / temperature).softmax(1)
    teacher = (full_precision(teacher_logits.detach()) / temperature).softmax(1)
    inter, intra = 1 - pearson(student, teacher).mean(), 1 - pearson(student.T, teacher.T).mean()
    return temperature**2 * (inter_weight * inter + intra_weight * intra)


def pearson(x: Tensor, y: Tensor) -> Tensor:
    """The correlation of each row of x with that of y: (N, M) each -> (N,); 0 where one of them is constant."""
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    correlation: Tensor = (x * y).sum(1) / (vector_norm(x, dim=1) * vector_norm(y, dim=1) + EPSILON)
    return correlation


METHOD = DIST
