"""StyleGAN2's generator: from a latent z to an image, as NVlabs' stylegan2-ada-pytorch computes it (G_ema).

Karras et al., arXiv:1912.04958 (skip architecture) and arXiv:2006.06676. Names of parameters, buffers and settings
are those of the published network, so that its files load by name; the code is written from its definition.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.models.stylegan2.ops import SMALL, FullyConnected, activate, low_pass, modulated_conv, per_channel, upsample

Noise = Callable[[int, int], Tensor]  # batch and side -> (batch, 1, side, side), standard normal


@dataclass(frozen=True)
class Settings:
    """Arguments of the published network, under its own names. Channels at a side: channel_base / side, capped."""

    z_dim: int = 512
    w_dim: int = 512
    img_resolution: int = 1024  # pixels, a power of 2 from 4 on
    num_layers: int = 8  # of the mapping
    lr_multiplier: float = 0.01  # of the mapping
    channel_base: int = 32768
    channel_max: int = 512
    num_fp16_res: int = 0  # sides that NVlabs' code computes in half precision on a GPU; here none
    conv_clamp: float | None = None  # activations are clamped to ± this

    def channels(self, side: int) -> int:
        return min(self.channel_base // side, self.channel_max)

    def sides(self) -> list[int]:
        """4, 8, ... img_resolution."""
        return [2**power for power in range(2, self.img_resolution.bit_length())]


class Generator(nn.Module):
    """z (B, z_dim) -> images (B, 3, R, R) float32, about -1 to 1. Identical in train and eval mode."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.synthesis = Synthesis(settings)
        self.mapping = Mapping(settings)

    def forward(
        self,
        z: Tensor,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        *,
        noise: Noise | None = None,
    ) -> Tensor:
        """Without `noise` the network's constant noise is used."""
        w = self.mapping(z)[:, None].repeat(1, self.synthesis.num_ws, 1)  # (B, layers, w_dim)
        images: Tensor = self.synthesis(self.mapping.truncate(w, truncation_psi, truncation_cutoff), noise)
        return images


class Mapping(nn.Module):
    """z (B, z_dim), of any norm -> w (B, w_dim)."""

    w_avg: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        for number in range(settings.num_layers):
            inputs = settings.w_dim if number else settings.z_dim
            layer = FullyConnected(inputs, settings.w_dim, rate=settings.lr_multiplier, active=True)
            self.add_module(f"fc{number}", layer)
        self.register_buffer("w_avg", torch.zeros(settings.w_dim))

    def forward(self, z: Tensor) -> Tensor:
        x = z.float()
        x = x * (x.square().mean(1, keepdim=True) + SMALL).rsqrt()
        for layer in self.children():
            x = layer(x)
        return x

    def truncate(self, w: Tensor, psi: float, cutoff: int | None) -> Tensor:
        """Move w (B, layers, w_dim) towards its mean: psi 1 leaves it, 0 gives the mean; only the first `cutoff` layers."""
        if psi == 1:
            return w
        cutoff = w.shape[1] if cutoff is None else cutoff
        return torch.cat([self.w_avg.lerp(w[:, :cutoff], psi), w[:, cutoff:]], 1)


class Synthesis(nn.Module):
    """w (B, num_ws, w_dim) -> images; a block for each side, each adding to the image made so far, upsampled."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        sides = settings.sides()
        self.num_ws = 2 * len(sides)
        for side in sides:
            self.add_module(f"b{side}", SynthesisBlock(settings, side))

    def forward(self, w: Tensor, noise: Noise | None = None) -> Tensor:
        styles = iter(self.styles_of_blocks(w))
        first, *others = self.children()
        x, image = first(None, None, next(styles), noise)
        for block in others:
            x, image = block(x, image, next(styles), noise)
        return image  # type: ignore[no-any-return]

    def styles_of_blocks(self, w: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """The w of each block's layers. The last one, for toRGB, is also used by the next block's first layer."""
        layers = w.unbind(1)
        yield layers[:2]
        for start in range(1, len(layers) - 1, 2):
            yield layers[start : start + 3]


class SynthesisBlock(nn.Module):
    """Side n/2 -> n: activations x (B, C, n, n) and image (B, 3, n, n). The first block starts from a constant."""

    resample_filter: Tensor

    def __init__(self, settings: Settings, side: int) -> None:
        super().__init__()
        outputs, clamp, w_dim = settings.channels(side), settings.conv_clamp, settings.w_dim
        self.register_buffer("resample_filter", low_pass())
        self.conv0: SynthesisLayer | None = None
        if side == 4:
            self.const = nn.Parameter(torch.randn(outputs, side, side))
        else:
            self.conv0 = SynthesisLayer(settings.channels(side // 2), outputs, w_dim, side, clamp, up=True)
        self.conv1 = SynthesisLayer(outputs, outputs, w_dim, side, clamp)
        self.torgb = ToRGB(outputs, w_dim, clamp)

    def forward(
        self, x: Tensor | None, image: Tensor | None, styles: tuple[Tensor, ...], noise: Noise | None
    ) -> tuple[Tensor, Tensor]:
        *before, middle, last = styles
        if x is None or self.conv0 is None:
            x = self.const.expand(len(last), -1, -1, -1)
        else:
            x = self.conv0(x, *before, noise)
        x = self.conv1(x, middle, noise)
        added = self.torgb(x, last).float()
        return x, added if image is None else upsample(image, self.resample_filter) + added


class SynthesisLayer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU: x (B, I, n, n) and w (B, w_dim) -> (B, O, n, n), or from n/2 `up`."""

    resample_filter: Tensor
    noise_const: Tensor

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, side: int, clamp: float | None, *, up: bool = False
    ) -> None:
        super().__init__()
        self.register_buffer("resample_filter", low_pass())
        self.affine = FullyConnected(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.register_buffer("noise_const", torch.randn(side, side))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.side, self.clamp, self.up = side, clamp, up

    def forward(self, x: Tensor, w: Tensor, noise: Noise | None) -> Tensor:
        x = modulated_conv(x, self.weight, self.affine(w), self.resample_filter if self.up else None)
        noise_map = self.noise_const if noise is None else noise(len(x), self.side)
        return activate(x + (noise_map * self.noise_strength).to(x.dtype), self.bias, clamp=self.clamp)


class ToRGB(nn.Module):
    """Activations (B, C, n, n) -> RGB (B, 3, n, n): 1 x 1 convolution, modulated, not demodulated, no leaky ReLU."""

    def __init__(self, inputs: int, w_dim: int, clamp: float | None) -> None:
        super().__init__()
        self.affine = FullyConnected(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.scale, self.clamp = inputs**-0.5, clamp

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = x * per_channel(self.affine(w) * self.scale, x)
        x = functional.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype))
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)
