"""Knowledge review (ReviewKD, Chen et al., arXiv:2104.09044, section 3).

    from the deepest level up:  x = BN(1x1 convolution of the student's), mixed with the residual of the level below by
    attention (ABF), resized;  F = BN(3x3 convolution of x)
    HCL(F, t) = (Σ_l w_l mean (pool_l F - pool_l t)²) / Σ_l w_l,  l = whole map, 4x4, 2x2, 1x1,  w = 1, 1/2, 1/4, 1/8
    loss = CE(labels) + w(e) Σ levels HCL,  w(e) = feature_weight min(1, e / warm_up)

Levels are the three stages and the vector, as a 1x1 map: the student's after the activation, the teacher's before it. Weight 5
is the authors' for CIFAR-100 of WRN pairs, ResNet8x4 and ShuffleNetV1 (dvlab-research/ReviewKD); 8 for ShuffleNetV2, 0.6 for
ResNet20, 1 for ResNet32. They count epochs e from 0, so the first has weight 0; mdistiller from 1: `first_epoch: 1`. Their
script leaves the teacher in training mode; here, as in mdistiller, it is in evaluation mode. Their optional KL has
distill_weight 1.

Teacher: maps of each stage before the activation, its vector. Sampler: every image once per epoch. Evaluation: accuracy and
loss (Classifier).
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch, EpochIndices
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import Size, pooled, projection, size_of
from cellar.models.features import Features

WIDEST = 512  # channels of what is passed from level to level


class ReviewKD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 5.0  # of the review loss, after the warm-up
        warm_up: Annotated[int, Field(ge=0)] = 20  # epochs until feature_weight is reached
        first_epoch: Annotated[int, Field(ge=0, le=1)] = 0  # the number of the first epoch in the warm-up

    params: Params
    warmth = 1.0

    def unsuited(self, student: Features, teacher: Features) -> str:
        own, taught = len(student.maps), len(teacher.maps)
        return (
            ""
            if own == taught
            else f"the student has {own - 1} stages, its teacher {taught - 1}; name networks of as many"
        )

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return Review(levels(student.maps, student.vector), levels(teacher.preactivations, teacher.vector))

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        super().begin_epoch(epoch, indices)
        self.warmth = warmth(epoch + self.params.first_epoch, self.params.warm_up)

    def weights(self) -> dict[str, float]:
        """In an epoch of weight 0 too the fusions have a gradient, of zeros, and decay, as the authors' do."""
        return super().weights() | {"feature_loss": self.warmth * self.params.feature_weight}

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        fused = self.student.layers(levels(student.maps, student.vector))
        return hierarchical_loss(fused, levels(teacher.preactivations, teacher.vector))


def warmth(epoch: int, warm_up: int) -> float:
    return min(1.0, epoch / warm_up) if warm_up else 1.0


def levels(maps: Sequence[Tensor], vector: Tensor) -> list[Tensor]:
    """The stages' maps without the stem's, and the vector as (B, D, 1, 1)."""
    return [*maps[1:], vector[:, :, None, None]]


class Review(nn.Module):
    """A student's levels (B, C, H, W), the deepest last, -> as many that the teacher's are compared with, of its shapes."""

    def __init__(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> None:
        super().__init__()
        width, deepest = min(WIDEST, student[-1].shape[1]), len(student) - 1
        self.fusions = nn.ModuleList(
            Fusion(own.shape[1], width, taught.shape[1], size_of(taught), place < deepest)
            for place, (own, taught) in enumerate(zip(student, teacher, strict=True))
        )

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        fused, residual = list[Tensor](), None
        for fusion, level in zip(reversed(self.fusions), reversed(levels), strict=True):
            output, residual = fusion(level, residual)
            fused.insert(0, output)
        return fused


class Fusion(nn.Module):
    """Attention-based fusion (ABF): a level (B, C, H, W) and the residual of the level below -> output (B, C', *size), and
    the residual for the level above (B, width, *size)."""

    def __init__(self, inputs: int, width: int, outputs: int, size: Size, fuse: bool) -> None:
        super().__init__()
        self.size = size
        self.inward = projection(inputs, width)
        self.attention = nn.Sequential(nn.Conv2d(2 * width, 2, 1), nn.Sigmoid()) if fuse else None
        self.outward = nn.Sequential(nn.Conv2d(width, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        for layer in (*self.inward, *self.outward):
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, a=1)

    def forward(self, level: Tensor, residual: Tensor | None) -> tuple[Tensor, Tensor]:
        x: Tensor = self.inward(level)
        if self.attention is not None and residual is not None:
            residual = resized(residual, size_of(x))
            mixture = self.attention(torch.cat([x, residual], 1))
            x = x * mixture[:, :1] + residual * mixture[:, 1:]
        x = resized(x, self.size)
        return self.outward(x), x


def resized(maps: Tensor, size: Size) -> Tensor:
    """Maps (B, C, H, W) -> (B, C, *size), each place the nearest one's."""
    return maps if size_of(maps) == size else functional.interpolate(maps, size)


def hierarchical_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """HCL of levels (B, C, H, W) of the same shapes, summed."""
    losses = [
        context_loss(full_precision(own), full_precision(taught)) for own, taught in zip(student, teacher, strict=True)
    ]
    return sum(losses[1:], losses[0])


def context_loss(student: Tensor, teacher: Tensor) -> Tensor:
    loss, total, weight = functional.mse_loss(student, teacher), 1.0, 1.0
    for side in (4, 2, 1):
        if side < student.shape[2]:
            weight /= 2
            loss = loss + weight * functional.mse_loss(pooled(student, (side, side)), pooled(teacher, (side, side)))
            total += weight
    return loss / total


METHOD = ReviewKD
