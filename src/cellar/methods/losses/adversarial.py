"""The game of a generator and a discriminator: non-saturating logistic loss (Goodfellow et al., arXiv:1406.2661) and R1.

A discriminator's logit of an image is high where it takes it for a real one.
"""

import torch
from torch import Tensor
from torch.nn import functional


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Mean of -log(sigmoid(real)) - log(1 - sigmoid(generated)), logits (B,) each."""
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def generator_loss(generated: Tensor) -> Tensor:
    """Non-saturating: mean of -log(sigmoid(generated)), logits (B,)."""
    return functional.softplus(-generated).mean()


def squared_slopes(logits: Tensor, images: Tensor) -> Tensor:
    """Squared length of the gradient of each logit (B,) by its image (B, 3, H, W): (B,), itself with a gradient.

    R1 is gamma / 2 times its mean over real images (Mescheder et al., arXiv:1801.04406, eq. 9).
    """
    (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slopes.square().sum((1, 2, 3))


def adversarial_loss(words: Tensor, *, gamma: float) -> dict[str, Tensor]:
    """Both players' losses in one: the networks share no parameter, so each gets the gradients of its own part.

    words (B, 4), what AdversarialGame says of a batch: logits of real images, of generated ones for the discriminator,
    the same for the generator, and R1's squared slopes. Returns {"loss", "task", "distill"}: their sum, the
    discriminator's part without R1, the generator's.
    """
    real, generated, fooled, slopes = words.unbind(1)
    discriminator, generator = discriminator_loss(real, generated), generator_loss(fooled)
    return {
        "loss": discriminator + generator + gamma / 2 * slopes.mean(),
        "task": discriminator,
        "distill": generator,
    }
