"""Correlation congruence (Peng et al., arXiv:1904.01802), in the form that RepDistiller made of the authors' code.

    e_i = |(W_s s_i + b_s) - (W_t t_i + b_t)|
    loss = CE(labels) + feature_weight mean over i of <e_i, e_{i+1}>

Neighbours in the batch alone are compared, where the paper has a Gaussian kernel over all pairs. Both
linear layers are trained, the teacher's side too. On the vector that the classifier reads; width and weight are
RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller).

Teacher: logits and vector. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from torch import Tensor, nn

from cellar.config.section import Count, Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.models.features import Features


class CC(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 0.02  # of the correlation loss
        width: Count = 128  # of the embeddings

    params: Params
    needs_teacher = "vector"

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return Embeddings(student.vector.shape[1], teacher.vector.shape[1], self.params.width)

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return correlation_loss(*self.student.layers(student.vector, teacher.vector))


class Embeddings(nn.Module):
    """Student's and teacher's vectors (B, D) -> both embeddings (B, width)."""

    def __init__(self, student: int, teacher: int, width: int) -> None:
        super().__init__()
        self.student, self.teacher = nn.Linear(student, width), nn.Linear(teacher, width)

    def forward(self, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        return self.student(student), self.teacher(teacher)


def correlation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Of embeddings (B, width), in the batch's order."""
    distance = (full_precision(student) - full_precision(teacher)).abs()
    return (distance[:-1] * distance[1:]).sum(1).mean()


METHOD = CC
