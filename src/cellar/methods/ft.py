"""Factor transfer (FT, Kim et al., arXiv:1802.04977, section 3).

    epochs of the first stage: loss = mean (decoder(encoder(t)) - t)², the paraphraser's, on the teacher's map alone
    epochs of the recipe:      loss = CE(labels) + feature_weight mean |N(translator(student map)) - N(encoder(t))|^power

`form: whole_factor`, the authors' (Jangho-Kim/Factor-Transfer-pytorch): N divides the flattened factor by its length; their
weight is 500. `form: channel_means`, RepDistiller's: N is the mean over channels of factor^inner_power, divided by its
length; its weight is 200. The two are not the same loss. The paraphraser's factor has `compression` times the teacher's
channels; the larger factor is pooled.

The 30 epochs of the first stage are RepDistiller's. It trains the paraphraser with learning rate 0.01; here the recipe's holds.

Teacher: its last map (f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.section import Count, Fraction, Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.maps import same_size
from cellar.methods.two_stages import TwoStages
from cellar.models.features import Features

Form = Literal["whole_factor", "channel_means"]


class FT(TwoStages):
    class Params(TwoStages.Params):
        feature_weight: Weight = 500.0  # of the distance between the factors; RepDistiller has 200 for its form
        form: Form = "whole_factor"  # what of the factors is compared: the authors' or RepDistiller's
        inner_power: Count = 2  # of activations before the mean over channels
        power: Count = 1  # of the distance's absolute value
        compression: Fraction = 0.5  # channels of a factor, as a part of the teacher's

    params: Params
    needs_teacher = "last_map"

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        channels = student.maps[-1].shape[1], teacher.maps[-1].shape[1]
        width = int(channels[1] * self.params.compression)
        return nn.ModuleDict(
            {"paraphraser": Paraphraser(channels[1], width), "translator": encoder(channels[0], width, True)}
        )

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        paraphraser, translator = (
            self.student.layers.get_submodule("paraphraser"),
            self.student.layers.get_submodule("translator"),
        )
        assert isinstance(paraphraser, Paraphraser)
        if self.first_stage:
            return functional.mse_loss(paraphraser(teacher.maps[-1]), teacher.maps[-1])
        with torch.no_grad():
            factor = paraphraser.encoder(teacher.maps[-1])
        own, params = translator(student.maps[-1]), self.params
        return factor_loss(own, factor, params.form, params.power, params.inner_power)

    def weights(self) -> dict[str, float]:
        return {"feature_loss": 1.0} if self.first_stage else super().weights()


def encoder(inputs: int, width: int, batch_norm: bool) -> nn.Sequential:
    """Maps (B, inputs, H, W) -> a factor (B, width, H, W)."""
    return nn.Sequential(
        *block(nn.Conv2d(inputs, inputs, 3, padding=1), batch_norm),
        *block(nn.Conv2d(inputs, width, 3, padding=1), batch_norm),
        *block(nn.Conv2d(width, width, 3, padding=1), batch_norm),
    )


def block(layer: nn.Conv2d | nn.ConvTranspose2d, batch_norm: bool) -> tuple[nn.Module, nn.Module, nn.Module]:
    """A convolution, batch norm or nothing, LeakyReLU."""
    return layer, nn.BatchNorm2d(layer.out_channels) if batch_norm else nn.Identity(), nn.LeakyReLU(0.1)


class Paraphraser(nn.Module):
    """A teacher's maps (B, C, H, W) -> the same, through a factor of fewer channels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.encoder = encoder(channels, width, batch_norm=False)
        self.decoder = nn.Sequential(
            *block(nn.ConvTranspose2d(width, width, 3, padding=1), batch_norm=False),
            *block(nn.ConvTranspose2d(width, channels, 3, padding=1), batch_norm=False),
            *block(nn.ConvTranspose2d(channels, channels, 3, padding=1), batch_norm=False),
        )

    def forward(self, maps: Tensor) -> Tensor:
        rebuilt: Tensor = self.decoder(self.encoder(maps))
        return rebuilt


def factor_loss(student: Tensor, teacher: Tensor, form: Form, power: int, inner_power: int = 2) -> Tensor:
    """Of factors (B, C, H, W) of the same C; the larger one is pooled."""
    own, taught = (normalised(factor, form, inner_power) for factor in same_size(student, teacher))
    return (own - taught).abs().pow(power).mean()


def normalised(factor: Tensor, form: Form, inner_power: int) -> Tensor:
    """(B, C, H, W) -> (B, C·H·W), of channel means (B, H·W), of length 1."""
    factor = full_precision(factor)
    return functional.normalize((factor if form == "whole_factor" else factor.pow(inner_power).mean(1)).flatten(1))


METHOD = FT
