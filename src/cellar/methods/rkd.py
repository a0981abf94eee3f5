"""Relational knowledge distillation (Park et al., arXiv:1904.05068, section 3).

    ψ_D(i, j) = ||x_i - x_j|| / mean of the positive distances,  ψ_A(i, j, k) = <e_ij, e_ik>,  e_ij = (x_i - x_j) / ||x_i - x_j||
    loss = CE(labels) + feature_weight (distance_weight mean Huber(ψ_D student, ψ_D teacher)
                                        + angle_weight mean Huber(ψ_A student, ψ_A teacher))

The means are over all B² pairs and B³ triples, those with equal indices too. On the vector that the classifier reads; the
weights 25 and 50 are RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller); for metric learning the authors
(lenscloth/RKD) have 1 and 2. `squared` is mdistiller's switch: squared distances.

Teacher: logits and vector. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

import torch
from torch import Tensor
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.models.features import Features

SMALLEST = 1e-12  # a squared distance is at least this, so that its root has a gradient


class RKD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 1.0  # of both relational losses together
        distance_weight: Weight = 25.0  # of the distances between pairs
        angle_weight: Weight = 50.0  # of the angles of triples
        squared: bool = False  # squared distances in place of distances

    params: Params
    needs_teacher = "vector"

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        weights = self.params.distance_weight, self.params.angle_weight
        return relational_loss(student.vector, teacher.vector, *weights, self.params.squared)


def relational_loss(
    student: Tensor,
    teacher: Tensor,
    distance_weight: float,
    angle_weight: float,
    squared: bool = False,
    smallest: float = SMALLEST,
) -> Tensor:
    """Of vectors or maps (B, ...), which are flattened."""
    student, teacher = full_precision(student).flatten(1), full_precision(teacher).flatten(1)
    own, taught = (distances(vectors, squared, smallest) for vectors in (student, teacher))
    distance = functional.smooth_l1_loss(own, taught)
    angle = functional.smooth_l1_loss(angles(student), angles(teacher))
    return distance_weight * distance + angle_weight * angle


def distances(vectors: Tensor, squared: bool, smallest: float = SMALLEST) -> Tensor:
    """(B, D) -> (B, B), divided by the mean of the positive ones. A squared distance is at least `smallest`."""
    lengths, products = vectors.square().sum(1), vectors @ vectors.T
    found = (lengths[:, None] + lengths - 2 * products).clamp(min=smallest)
    found = found if squared else found.sqrt()
    found = found * (1 - torch.eye(len(vectors), dtype=found.dtype, device=found.device))
    return found * (found > 0).sum() / found.sum()


def angles(vectors: Tensor) -> Tensor:
    """(B, D) -> cosines (B, B, B) of the angles at the first vector; 0 where two are equal."""
    differences = functional.normalize(vectors - vectors[:, None], dim=2)
    return differences @ differences.transpose(1, 2)


METHOD = RKD
