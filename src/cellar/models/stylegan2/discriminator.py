"""StyleGAN2's discriminator, as in stylegan2-ada-pytorch: residual, with minibatch standard deviation."""

import math

import torch
from torch import Tensor, nn

from cellar.models.stylegan2.network import Settings
from cellar.models.stylegan2.ops import SMALL, Convolution, FullyConnected

GROUP = 4  # images over which the standard deviation is taken


class Discriminator(nn.Module):
    """Images (B, 3, R, R), -1 to 1 -> logits (B,)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        top = settings.img_resolution
        for side in reversed(settings.sides()[1:]):
            channels, outputs = settings.channels(side), settings.channels(side // 2)
            self.add_module(f"b{side}", DiscriminatorBlock(channels, outputs, first=side == top))
        self.b4 = Epilogue(settings.channels(4))

    def forward(self, images: Tensor) -> Tensor:
        x = images
        for block in self.children():
            x = block(x)
        return x[:, 0]


class DiscriminatorBlock(nn.Module):
    """(B, C, n, n) -> (B, O, n/2, n/2), with a shortcut; the `first` block takes RGB images (B, 3, n, n)."""

    def __init__(self, channels: int, outputs: int, *, first: bool) -> None:
        super().__init__()
        self.fromrgb = Convolution(3, channels, 1) if first else nn.Identity()
        self.conv0 = Convolution(channels, channels, 3)
        self.conv1 = Convolution(channels, outputs, 3, down=True)
        self.skip = Convolution(channels, outputs, 1, down=True, active=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fromrgb(x)
        out: Tensor = self.skip(x, math.sqrt(0.5)) + self.conv1(self.conv0(x), math.sqrt(0.5))
        return out


class Epilogue(nn.Module):
    """(B, C, 4, 4) -> (B, 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Convolution(channels + 1, channels, 3)
        self.fc = FullyConnected(channels * 4**2, channels, active=True)
        self.out = FullyConnected(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(torch.cat([x, minibatch_std(x)], 1))
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits


def minibatch_std(x: Tensor) -> Tensor:
    """Mean standard deviation of the activations (B, C, H, W) over groups of images, as a map (B, 1, H, W).

    A group consists of every (B / G)-th image; G is the greatest common divisor of 4 and B.
    """
    group = math.gcd(GROUP, len(x))
    variance = x.reshape(group, -1, *x.shape[1:]).var(0, correction=0)  # (B / G, C, H, W)
    means = (variance + SMALL).sqrt().mean((1, 2, 3))
    return means.repeat(group)[:, None, None, None].expand(-1, -1, *x.shape[2:])
