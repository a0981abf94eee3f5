"""StyleGAN2's adversarial training (Karras et al., arXiv:1912.04958), used by train_generator.

    discriminator:  -log σ(D(x)) - log(1 - σ(D(G(z))))  +  r1_gamma / 2 |∇ D(x)|²
    generator:      -log σ(D(G(z)))

Non-saturating logistic loss (Goodfellow et al., arXiv:1406.2661) and R1 (Mescheder et al., arXiv:1801.04406, eq. 9), which
is computed in every 16th step, 16-fold. D is high for images that it takes for real. The code follows
stylegan2-ada-pytorch, with random noise and the generator's moving average with its ramp; it omits style mixing and path
lengths, as that repository's own configuration for 32 pixels does, and adaptive augmentation.

Always in float32: R1 differentiates twice, the moving averages lose what bf16 rounds away, and on a CPU bf16 is slower at
these sizes. Teacher: none. Sampler: every training image once per epoch, mirrored or not. Evaluation: none; the last epoch
is used.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from cellar import paths
from cellar.config.resolved import GeneratorSettings, InputSettings, TrainingSettings
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import open_split
from cellar.engine import runtime
from cellar.engine.setup import TrainingSetup
from cellar.engine.training import Batch, Losses
from cellar.errors import CellarError
from cellar.methods.base import Method, ShuffledSampler
from cellar.models.stylegan2.discriminator import Discriminator
from cellar.models.stylegan2.network import Generator, Settings
from cellar.seeding import derive

R1_INTERVAL = 16  # steps from one R1 to the next; each counts for all of them
AVERAGE_BETA = 0.995  # of w_avg, per step
RAMP = 0.05  # the moving average's half-life is at most this share of the images seen so far


class GAN(Method):
    def __init__(self, params: GeneratorSettings) -> None:
        super().__init__(params)

    def check(self, settings: TrainingSettings) -> None:
        raise CellarError(f"{settings.key}: method gan trains generators, not classifiers; choose another")

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output (B, 4) of GANTraining."""
        return adversarial_loss(output, gamma=self.params.r1_gamma)


def build_setup(settings: GeneratorSettings, device: torch.device) -> TrainingSetup:
    """Networks, training images and sampler of a generator. Raises CellarError for a recipe with several processes."""
    if settings.recipe.processes > 1:
        raise CellarError(f"{settings.key}: a generator is trained by one process; set processes: 1 in its recipe")
    image_set = prepared.load(paths.prepared(settings.dataset))
    inputs = InputSettings(input_size=settings.size, augmentation="flip", normalisation="symmetric")
    split = open_split(image_set, slice(0, int((image_set.split == "train").sum())), inputs, device)
    torch.manual_seed(derive(settings.seed, "initial weights"))
    networks = GANTraining(network_settings(settings), seed=settings.seed, half_life=settings.half_life)
    method = GAN(settings)
    sampler = ShuffledSampler(len(split.labels), split.augmentation.count, settings.seed, device)
    return TrainingSetup(runtime.place(networks, device), split, method, sampler, None, method.facts)


def network_settings(settings: Any) -> Settings:
    """The networks' settings, of GeneratorSettings or of a generator in params.yaml."""
    return Settings(
        z_dim=settings.latent,
        w_dim=settings.latent,
        img_resolution=settings.size,
        channel_base=settings.channel_base,
        channel_max=settings.channel_max,
    )


def adversarial_loss(outputs: Tensor, *, gamma: float) -> Losses:
    """Both networks' losses in one: they share no parameter, so each receives the gradients of its own part.

    outputs (B, 4) of GANTraining: logits of real images, logits of fake images for the discriminator and for the generator,
    R1 terms. The discriminator's term is logged without R1.
    """
    real, fake_d, fake_g, r1 = outputs.unbind(1)
    discriminator, generator = discriminator_loss(real, fake_d), generator_loss(fake_g)
    loss = discriminator + generator + gamma / 2 * r1.mean()
    return {"loss": loss, "discriminator_loss": discriminator, "generator_loss": generator}


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of -log σ(real) - log(1 - σ(fake)), logits (B,) each."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating: mean of -log σ(fake), logits (B,)."""
    return functional.softplus(-fake).mean()


def r1_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Squared norm of the gradient of each logit (B,) with respect to its image (B, 3, H, W): (B,), differentiable."""
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.square().sum((1, 2, 3))


class RandomNormal:
    """Standard normal numbers from a seed, the same on every device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.generator, self.device = torch.Generator().manual_seed(seed), device

    def latent(self, batch: int, width: int) -> Tensor:
        return torch.randn(batch, width, generator=self.generator).to(self.device)

    def noise(self, batch: int, side: int) -> Tensor:
        return torch.randn(batch, 1, side, side, generator=self.generator).to(self.device)


class GANTraining(nn.Module):
    """Both networks and the generator's moving average `ema`; a forward pass in train mode is one training step's outputs.

    Initial weights follow torch's global seed. A step's random numbers follow `seed` and the step's number, which is part of
    the state: a training that is stopped and resumed gives the same bits. Both networks are updated simultaneously from the
    pre-step weights. In eval mode, forward() samples from the EMA generator.
    """

    rounds: Tensor  # training steps so far, under the name that weights files have
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
        """Real images (B, 3, R, R), -1 to 1 -> outputs (B, 4) for adversarial_loss; in eval mode z -> images."""
        if not self.training:
            averaged: Tensor = self.ema(images)
            return averaged
        self.update_average(len(images))
        fake = self.generate(images)
        real, r1 = self.real_logits(images)
        fake_d = self.discriminator(fake.detach())
        frozen = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        fake_g = functional_call(self.discriminator, frozen, (fake,))
        self.rounds += 1
        self.seen += len(images)
        return torch.stack([real, fake_d, fake_g, r1], 1)

    def generate(self, images: Tensor) -> Tensor:
        """As many images as `images` (B, 3, R, R), from new z and new noise; updates the mean of w."""
        random = RandomNormal(derive(self.seed, "game", int(self.rounds)), images.device)
        mapping, synthesis = self.generator.mapping, self.generator.synthesis
        w = mapping(random.latent(len(images), self.generator.settings.z_dim))
        mapping.w_avg.copy_(w.detach().mean(0).lerp(mapping.w_avg, AVERAGE_BETA))
        fake: Tensor = synthesis(w[:, None].expand(-1, synthesis.num_ws, -1), noise=random.noise)
        return fake

    def real_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,), and R1 terms (B,): 16-fold in every 16th step, otherwise 0."""
        if int(self.rounds) % R1_INTERVAL:
            return self.discriminator(images), images.new_zeros(len(images))
        images = images.detach().requires_grad_()
        logits = self.discriminator(images)
        return logits, R1_INTERVAL * r1_penalty(logits, images)

    @torch.no_grad()
    def update_average(self, batch: int) -> None:
        """Move the average towards the generator as the last step left it, so that it is one step behind."""
        half_life = min(self.half_life, RAMP * int(self.seen))
        beta = 0.5 ** (batch / half_life) if half_life else 0.0
        for average, weight in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            average.copy_(weight.lerp(average, beta))
        for copied, value in zip(self.ema.buffers(), self.generator.buffers(), strict=True):
            copied.copy_(value)


METHOD = GAN
