"""Activation boundaries (AB, Heo et al., arXiv:1811.03233).

    epochs of the first stage: loss = feature_weight 3/1000 Σ stages 2^(i - n) / B Σ places
                                      (s + m)² where t <= 0 and s > -m;  (s - m)² where t > 0 and s <= m;  else 0
    epochs of the recipe:      loss = CE(labels) + distill_weight T² KL

s are the student's maps before the activation, through a regressor where their shape is not the teacher's, t the teacher's; i of
n stages. Margin, factors and 30 epochs of the first stage are RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller), whose
criterion is the authors' own (bhheo/AB_distillation).

Teacher: maps of each stage before the activation. Sampler: every image once per epoch. Evaluation: accuracy and loss
(Classifier).
"""

from collections.abc import Iterable

from torch import Tensor, nn

from cellar.config.section import Positive, Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.maps import Regressor, pooled, preactivation_pairs, size_of
from cellar.methods.two_stages import FirstFeatures
from cellar.models.features import Features

SCALE = 3 / 1000


class AB(FirstFeatures):
    class Params(FirstFeatures.Params):
        feature_weight: Weight = 1.0  # of the boundary loss
        margin: Positive = 1.0  # m, how far from 0 the student's activations should be

    params: Params

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return nn.ModuleList([connector(*pair) for pair in preactivation_pairs(student, teacher)])

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        maps = zip(self.student.layers.children(), preactivation_pairs(student, teacher), strict=True)
        return boundary_loss(((layer(own), taught) for layer, (own, taught) in maps), self.params.margin)


def connector(student: Tensor, teacher: Tensor) -> nn.Module:
    same = student.shape[1:] == teacher.shape[1:]
    return nn.Identity() if same else Regressor(student, teacher, relu=False)


def boundary_loss(maps: Iterable[tuple[Tensor, Tensor]], margin: float) -> Tensor:
    """Of pairs of student's and teacher's maps (B, C, H, W) before the activation, from the first stage to the last."""
    distances = [boundary_distance(*pair, margin) / len(pair[0]) for pair in maps]
    weighted = [2.0 ** (place + 1 - len(distances)) * distance for place, distance in enumerate(distances)]
    return SCALE * sum(weighted[1:], weighted[0])


def boundary_distance(student: Tensor, teacher: Tensor, margin: float) -> Tensor:
    """A teacher larger than the regressed student is pooled."""
    student, teacher = full_precision(student), pooled(full_precision(teacher), size_of(student))
    off, on = (teacher <= 0) & (student > -margin), (teacher > 0) & (student <= margin)
    return ((student + margin).square() * off + (student - margin).square() * on).sum()


METHOD = AB
