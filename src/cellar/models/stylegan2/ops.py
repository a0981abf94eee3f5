"""The operations of StyleGAN2 (Karras et al., arXiv:1912.04958), defined as NVlabs' stylegan2-ada-pytorch defines them.

Weights are stored at unit variance and scaled when used (equalised learning rate). Modulation scales the
activations before a convolution, demodulation those after it, so that one convolution serves the whole batch;
that equals a convolution with weights of its own for every image.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

TAPS = (1.0, 3.0, 3.0, 1.0)  # the low-pass filter along one side
SLOPE, GAIN = 0.2, math.sqrt(2)  # of the leaky ReLU: its negative side, and what keeps its variance at 1
SMALL = 1e-8


def low_pass() -> Tensor:
    """The filter (4, 4); it sums to 1."""
    taps = torch.tensor(TAPS)
    grid = torch.outer(taps, taps)
    return grid / grid.sum()


def activate(x: Tensor, bias: Tensor | None, gain: float = 1.0, clamp: float | None = None) -> Tensor:
    """√2 · gain · leaky ReLU(x + bias), clamped to ± clamp · gain. Channels are dimension 1, bias (C,)."""
    if bias is not None:
        x = x + bias.to(x.dtype).view(1, -1, *[1] * (x.ndim - 2))
    x = functional.leaky_relu(x, SLOPE) * (GAIN * gain)
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)


def blur(x: Tensor, kernel: Tensor, padding: int, stride: int = 1) -> Tensor:
    """Convolve (B, C, H, W) with `kernel`, each channel separately, zero padding; every `stride`-th pixel of the result."""
    weight = kernel.flip(0, 1).to(x.dtype).expand(x.shape[1], 1, -1, -1)
    return functional.conv2d(x, weight, padding=padding, stride=stride, groups=x.shape[1])


def upsample(x: Tensor, kernel: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2H, 2W): insert zeros between pixels, then apply `kernel`, scaled so that brightness is preserved."""
    weight = (4 * kernel).to(x.dtype).expand(x.shape[1], 1, -1, -1)
    return functional.conv_transpose2d(x, weight, stride=2, padding=1, groups=x.shape[1])


def modulated_conv(x: Tensor, weight: Tensor, styles: Tensor, up: Tensor | None = None) -> Tensor:
    """Modulated and demodulated convolution, section 2.2, eq. 1 and 3: (B, I, H, W) -> (B, O, H, W).

    weight (O, I, k, k), styles (B, I). With a low-pass filter `up`, the result has twice the side.
    """
    energy = styles.square() @ weight.square().sum((2, 3)).T  # (B, O): squared length of each filter of each image
    x, weight = x * per_channel(styles, x), weight.to(x.dtype)
    if up is None:
        x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
    else:
        x = blur(functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 4 * up, padding=1)
    return x * per_channel((energy + SMALL).rsqrt(), x)


def per_channel(values: Tensor, x: Tensor) -> Tensor:
    """(B, C) as a factor of x (B, C, H, W)."""
    return values.to(x.dtype)[:, :, None, None]


class FullyConnected(nn.Module):
    """(B, I) -> (B, O). Weights and bias have `rate` times the optimizer's learning rate; `active`: followed by leaky ReLU."""

    def __init__(
        self, inputs: int, outputs: int, *, rate: float = 1.0, bias: float = 0.0, active: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale, self.rate, self.active = rate / math.sqrt(inputs), rate, active

    def forward(self, x: Tensor) -> Tensor:
        x = functional.linear(x, self.weight * self.scale, None if self.active else self.bias * self.rate)
        return activate(x, self.bias * self.rate) if self.active else x


class Convolution(nn.Module):
    """A k x k convolution, (B, I, H, W) -> (B, O, H, W); `down`: half the side, low-pass filtered; `active`: with a leaky ReLU.

    Without leaky ReLU it has no bias, like the discriminator's residual shortcuts.
    """

    resample_filter: Tensor

    def __init__(self, inputs: int, outputs: int, side: int, *, down: bool = False, active: bool = True) -> None:
        super().__init__()
        self.register_buffer("resample_filter", low_pass())
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if active else None
        self.scale, self.down, self.active = 1 / math.sqrt(inputs * side**2), down, active

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        weight, side = self.weight * self.scale, self.weight.shape[-1]
        if not self.down:
            x = functional.conv2d(x, weight, padding=side // 2)
        elif side == 1:  # filtered first: a quarter of the work
            x = functional.conv2d(blur(x, self.resample_filter, padding=1, stride=2), weight)
        else:
            x = functional.conv2d(blur(x, self.resample_filter, padding=2), weight, stride=2)
        return activate(x, self.bias, gain) if self.active else x * gain
