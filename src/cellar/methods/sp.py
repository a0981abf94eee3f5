"""Similarity-preserving distillation (Tung and Mori, arXiv:1907.09682).

    G(F) = Q Qᵀ, each row divided by its length,  Q = F flattened, (B, C·H·W)
    loss = CE(labels) + feature_weight Σ (G(student) - G(teacher))² / B²

On the last map; weight and map are RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller), whose form the paper's authors
confirmed. The loss depends on the batch size.

Teacher: its last map (f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.models.features import Features


class SP(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 3000.0  # of the similarity loss

    params: Params
    needs_teacher = "last_map"

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return similarity_loss(student.maps[-1], teacher.maps[-1])


def similarity_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Of maps (B, ...), which may differ in all but B."""
    return (similarities(student) - similarities(teacher)).square().mean()


def similarities(maps: Tensor) -> Tensor:
    """(B, ...) -> (B, B), rows of length 1; 0 where a sample's map is."""
    flat = full_precision(maps).flatten(1)
    return functional.normalize(flat @ flat.T)


METHOD = SP
