"""Neuron selectivity transfer (Huang and Wang, arXiv:1707.01219), with the polynomial kernel of degree 2.

    k(a, b) = (aᵀ b)²,  a, b channels of a map, flattened, each divided by its length
    loss = CE(labels) + feature_weight Σ stages mean k(t, t') + mean k(s, s') - 2 mean k(s, t)

The means are over the batch and all pairs of channels. Maps, pooling of the larger map and weight are RepDistiller's for
CIFAR-100 (HobbitLong/RepDistiller); mdistiller's loss is the same.

Teacher: maps of each stage (f1, f2, f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from collections.abc import Iterable

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import pairs, same_size
from cellar.models.features import Features


class NST(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 50.0  # of the selectivity loss

    params: Params

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return selectivity_loss(pairs(student, teacher))


def selectivity_loss(maps: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Squared maximum mean discrepancy, summed over pairs of student's and teacher's maps (B, C, H, W)."""
    losses = [discrepancy(*(functional.normalize(one.flatten(2), dim=2) for one in same_size(*pair))) for pair in maps]
    return sum(losses[1:], losses[0])


def discrepancy(student: Tensor, teacher: Tensor) -> Tensor:
    """Of channels (B, C, H·W) of length 1, or 0 where a channel is dead."""
    return kernel(teacher, teacher) + kernel(student, student) - 2 * kernel(student, teacher)


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """Mean of (aᵀ b)² over the batch and pairs of channels."""
    return (a @ b.transpose(1, 2)).square().mean()


METHOD = NST
