"""Flow of solution procedure (FSP, Yim et al., CVPR 2017, section 3).

    G_i = (1 / HW) Σ places f_{i+1} f_iᵀ  of neighbouring maps, (C, C'), the larger one pooled
    epochs of the first stage: loss = feature_weight Σ pairs mean (G(student) - G(teacher))²
    epochs of the recipe:      loss = CE(labels) + distill_weight T² KL

Stages, weight and 30 epochs of the first stage are RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller). The matrices must
have one shape, so both networks have the same channels.

Teacher: maps of the stem and each stage (f0 to f3). Sampler: every image once per epoch. Evaluation: accuracy and loss
(Classifier).
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.maps import same_size
from cellar.methods.two_stages import FirstFeatures
from cellar.models.features import Features


class FSP(FirstFeatures):
    class Params(FirstFeatures.Params):
        feature_weight: Weight = 50.0  # of the distance between the matrices

    params: Params

    def unsuited(self, student: Features, teacher: Features) -> str:
        own, taught = ([maps.shape[1] for maps in features.maps] for features in (student, teacher))
        same = "its matrices must have one shape, so student and teacher the same channels"
        return "" if own == taught else f"{same}: {own} and {taught}; name networks of one width and depth"

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return flow_loss(student.maps, teacher.maps)


def flow_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Of maps (B, C, H, W), student's and teacher's of the same channels."""
    flows = ([flow(*pair) for pair in pairwise(maps)] for maps in (student, teacher))
    losses = [functional.mse_loss(*pair) for pair in zip(*flows, strict=True)]
    return sum(losses[1:], losses[0])


def flow(bottom: Tensor, top: Tensor) -> Tensor:
    """(B, C, C') of maps (B, C', H, W) and (B, C, H, W)."""
    bottom, top = (maps.flatten(2) for maps in same_size(bottom, top))
    return top @ bottom.transpose(1, 2) / top.shape[2]


METHOD = FSP
