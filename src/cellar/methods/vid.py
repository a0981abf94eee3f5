"""Variational information distillation (Ahn et al., arXiv:1904.05835).

    loss = CE(labels) + feature_weight Σ stages mean ½ ((μ(student) - t)² / v_c + log v_c),  v_c = log(1 + exp a_c) + 1e-5

μ is three 1x1 convolutions without bias, ReLU between them; a_c starts where v_c = 5. The larger map is pooled. Weight and
maps are RepDistiller's for CIFAR-100 (HobbitLong/RepDistiller), which trains a as the paper does; mdistiller leaves it as it
is: `train_variance: false`. The loss may be negative.

Teacher: maps of each stage (f1, f2, f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import pairs, same_size
from cellar.models.features import Features

FIRST_VARIANCE, EPS = 5.0, 1e-5


class VID(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 1.0  # of the negative log-likelihood
        train_variance: bool = True  # whether the channels' variances are learnt, or stay at 5

    params: Params

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        trained = self.params.train_variance
        return nn.ModuleList([Gaussian(s.shape[1], t.shape[1], trained) for s, t in pairs(student, teacher)])

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        maps = zip(self.student.layers.children(), pairs(student, teacher), strict=True)
        losses: list[Tensor] = [gaussian(*pair) for gaussian, pair in maps]
        return sum(losses[1:], losses[0])


class Gaussian(nn.Module):
    """Of a student's and a teacher's maps (B, C, H, W) the mean negative log-likelihood of the teacher's, but for ½ log 2π."""

    a: Tensor  # (C,)

    def __init__(self, student: int, teacher: int, train_variance: bool = True, eps: float = EPS) -> None:
        super().__init__()
        widths = [(student, teacher), (teacher, teacher), (teacher, teacher)]
        first, second, third = (nn.Conv2d(*width, 1, bias=False) for width in widths)
        self.regressor = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)
        self.eps = eps
        a = torch.full((teacher,), math.log(math.expm1(FIRST_VARIANCE - eps)))
        self.register_parameter("a", nn.Parameter(a)) if train_variance else self.register_buffer("a", a)

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        student, teacher = same_size(student, teacher)
        variance = (functional.softplus(self.a) + self.eps).view(1, -1, 1, 1)
        squares = (self.regressor(student) - teacher).square()
        likelihood: Tensor = squares / variance + variance.log()
        return likelihood.mean() / 2


METHOD = VID
