"""Curriculum temperature, CTKD (Li et al., AAAI 2023, arXiv:2211.16231), with one temperature for all images.

    loss = task_weight CE(labels) + distill_weight T² KL(teacher || student),   softmaxes of logits / T
    T    = lowest_temperature + temperature_range sigmoid(θ)

θ is trained with the student, by the same optimizer with its weight decay, to make the divergence larger: the gradient
that reaches it is multiplied by λ(e) = (cos(π min(e, curriculum) / curriculum) - 1) / 2, which falls from 0 to -1; e is
the epoch, counted from 1. θ starts at 1. It is no part of the student: it is in the checkpoint and in no weights file.

Defaults are those of the authors' script for CIFAR-100 (zhengli97/CTKD, scripts/run_cifar_distill.sh): T from 1 to 21,
10 epochs of curriculum, task_weight 0.1, distill_weight 0.9. `temperature`, its mean over an epoch's images, is logged.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from cellar.config.section import Count, Positive, Weight
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.methods.logit_distillation import LogitDistillation
from cellar.methods.logit_kd import kl_divergence
from cellar.models.wrapped import Wrapped


class CTKD(LogitDistillation):
    class Params(LogitDistillation.Params):
        task_weight: Weight = 0.1  # of the cross-entropy on the labels
        distill_weight: Weight = 0.9  # of what is learnt from the teacher
        lowest_temperature: Positive = 1.0  # it is trained between this one
        temperature_range: Positive = 20.0  # and one that is higher by this
        curriculum: Count = 10  # epochs until the temperature is trained with its full gradient

    params: Params

    def wrap(self, model: nn.Module) -> nn.Module:
        self.student = Student(model)
        return self.student

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        super().begin_epoch(epoch, indices)
        share = min((epoch + 1) / self.params.curriculum, 1.0)
        self.reversal = (math.cos(math.pi * share) - 1) / 2

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        return super().loss(output, batch) | {"temperature": self.temperature().detach()}

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        return ctkd_loss(student_logits, teacher_logits, self.temperature())

    def temperature(self) -> Tensor:
        theta = with_gradient_times(self.reversal, self.student.theta)
        return bounded(theta, self.params.lowest_temperature, self.params.temperature_range)

    def state_dict(self) -> dict[str, Any]:
        return {"theta": self.student.theta.detach()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.student.theta.data.copy_(state["theta"])


class Student(Wrapped):
    """A network, and θ () beside it: (B, 3, H, W) -> logits (B, C). Its state dict is the network's alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.theta = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits


def ctkd_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: Tensor) -> Tensor:
    """T² KL, a mean over the batch, which has a gradient for T, too; logits (B, C), T a scalar."""
    return temperature.square() * kl_divergence(student_logits, teacher_logits, temperature)


def with_gradient_times(factor: float, value: Tensor) -> Tensor:
    """The same value, whose gradient is multiplied by a factor on its way back."""
    return value.detach() + factor * (value - value.detach())


def bounded(theta: Tensor, lowest: float, span: float) -> Tensor:
    """lowest + span sigmoid(θ)."""
    return lowest + span * torch.sigmoid(theta)


METHOD = CTKD
