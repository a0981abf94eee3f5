"""A StyleGAN2 that can be trained: the discriminator, and the game of both networks as one module for the one loop.

The discriminator is stylegan2-ada-pytorch's (residual, minibatch standard deviation). Of its training the game has
the non-saturating loss, lazy R1, random noise and the moving average with its ramp; it leaves out style mixing and
path lengths, as that repository's own configuration for 32 pixels does, and adaptive augmentation.
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cellar.methods.losses.adversarial import squared_slopes
from cellar.models.stylegan2.network import Generator, Settings
from cellar.models.stylegan2.ops import SMALL, Convolution, FullyConnected
from cellar.seeding import derive

GROUP = 4  # images whose spread the discriminator sees
R1_INTERVAL = 16  # steps from one R1 to the next; each counts for all of them
AVERAGE_BETA = 0.995  # of w_avg, a step
RAMP = 0.05  # of the images seen so far: the most that the moving average's half-life is


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
    """(B, C, n, n) -> (B, O, n/2, n/2), with a shortcut; the `first` takes colours (B, 3, n, n)."""

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
        x = self.conv(torch.cat([x, spread(x)], 1))
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits


def spread(x: Tensor) -> Tensor:
    """Mean standard deviation of the activations (B, C, H, W) over groups of images, as a map (B, 1, H, W).

    An image's group is every (B / G)-th image; G is 4, or what of it divides B.
    """
    group = math.gcd(GROUP, len(x))
    variance = x.reshape(group, -1, *x.shape[1:]).var(0, correction=0)  # (B / G, C, H, W)
    means = (variance + SMALL).sqrt().mean((1, 2, 3))
    return means.repeat(group)[:, None, None, None].expand(-1, -1, *x.shape[2:])


class Draws:
    """Standard normal numbers by a seed, the same on every device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.source, self.device = torch.Generator().manual_seed(seed), device

    def latent(self, batch: int, width: int) -> Tensor:
        return torch.randn(batch, width, generator=self.source).to(self.device)

    def noise(self, batch: int, side: int) -> Tensor:
        return torch.randn(batch, 1, side, side, generator=self.source).to(self.device)


class AdversarialGame(nn.Module):
    """Both networks and the generator's moving average `ema`; a forward pass in train mode is one round of the game.

    Initial weights follow torch's global seed; what a round draws follows `seed` and the round's number, which is part
    of the state: a game that is stopped and loaded goes on with the same bits. The players move at once, each
    against the other as it was before the round. In eval mode a game gives what its average generates.
    """

    rounds: Tensor
    seen: Tensor

    def __init__(self, settings: Settings, *, seed: int, half_life: int = 10_000) -> None:
        """`half_life` of the moving average, in images."""
        super().__init__()
        self.generator, self.discriminator = Generator(settings), Discriminator(settings)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.register_buffer("rounds", torch.tensor(0))
        self.register_buffer("seen", torch.tensor(0))  # real images
        self.seed, self.half_life = seed, half_life

    def forward(self, images: Tensor) -> Tensor:
        """Real images (B, 3, R, R), -1 to 1 -> words (B, 4) for losses.adversarial; in eval mode z -> images."""
        if not self.training:
            averaged: Tensor = self.ema(images)
            return averaged
        self.follow(len(images))
        generated = self.generate(images)
        real, slopes = self.judge_real(images)
        judged = self.discriminator(generated.detach())
        frozen = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        fooled = functional_call(self.discriminator, frozen, (generated,))
        self.rounds += 1
        self.seen += len(images)
        return torch.stack([real, judged, fooled, slopes], 1)

    def generate(self, images: Tensor) -> Tensor:
        """As many as `images` (B, 3, R, R), from fresh z and fresh noise; the mean of w follows along."""
        draws = Draws(derive(self.seed, "game", int(self.rounds)), images.device)
        mapping, synthesis = self.generator.mapping, self.generator.synthesis
        w = mapping(draws.latent(len(images), self.generator.settings.z_dim))
        mapping.w_avg.copy_(w.detach().mean(0).lerp(mapping.w_avg, AVERAGE_BETA))
        generated: Tensor = synthesis(w[:, None].expand(-1, synthesis.num_ws, -1), noise=draws.noise)
        return generated

    def judge_real(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,), and R1's slopes (B,): in every 16th round 16-fold, in the others 0."""
        if int(self.rounds) % R1_INTERVAL:
            return self.discriminator(images), images.new_zeros(len(images))
        images = images.detach().requires_grad_()
        logits = self.discriminator(images)
        return logits, R1_INTERVAL * squared_slopes(logits, images)

    @torch.no_grad()
    def follow(self, batch: int) -> None:
        """Move the average towards the generator as the last round left it, so it is one round behind."""
        half_life = min(self.half_life, RAMP * int(self.seen))
        beta = 0.5 ** (batch / half_life) if half_life else 0.0
        for average, weight in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            average.copy_(weight.lerp(average, beta))
        for kept, number in zip(self.ema.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(number)
