"""Attention transfer (Zagoruyko and Komodakis, arXiv:1612.03928, section 3.1), on the activations.

    A(F) = v / ||v||,  v = mean over channels of F^p, flattened
    loss = CE(labels) + feature_weight Σ stages mean over batch and positions of (A(student) - A(teacher))²

The paper prints a norm of the difference; the mean of squares, over batch and positions, is the authors' code
(szagoruyko/attention-transfer) at p = 2 and RepDistiller's, whose CIFAR-100 weight is the default. F^p has no absolute
value: with an odd p it is signed. Where sizes differ, the larger map is pooled first.

Teacher: maps of each stage (f1, f2, f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from collections.abc import Iterable

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Count, Weight
from cellar.engine.training import Batch
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import pairs, same_size
from cellar.models.features import Features


class AT(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 1000.0  # of the attention loss
        power: Count = 2  # p, to which the activations are raised

    params: Params

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return attention_loss(pairs(student, teacher), self.params.power)


def attention_loss(maps: Iterable[tuple[Tensor, Tensor]], power: int) -> Tensor:
    """Sum over pairs of student's and teacher's maps (B, C, H, W)."""
    losses = [attention_distance(*pair, power) for pair in maps]
    return sum(losses[1:], losses[0])


def attention_distance(student: Tensor, teacher: Tensor, power: int) -> Tensor:
    student, teacher = same_size(student, teacher)
    return functional.mse_loss(attention(student, power), attention(teacher, power))


def attention(maps: Tensor, power: int) -> Tensor:
    """(B, C, H, W) -> (B, H·W), of length 1; 0 where a map is 0 everywhere."""
    return functional.normalize(maps.pow(power).mean(1).flatten(1))


METHOD = AT
