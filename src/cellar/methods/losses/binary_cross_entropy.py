"""Binary cross-entropy with hard labels: the small-dataset study's text (6.2). Its code has cross-entropy."""

from torch import Tensor
from torch.nn import functional


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Each class is a question of its own: mean over images and classes of -y log σ(z) - (1 - y) log(1 - σ(z)).

    logits (B, C), labels (B,), of which y is the one-hot form (B, C); float32 throughout.
    """
    one_hot = functional.one_hot(labels, logits.shape[1]).float()
    return functional.binary_cross_entropy_with_logits(logits.float(), one_hot)
