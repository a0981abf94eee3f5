"""What feature distillation reads of a network in one forward pass."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Features:
    """Feature maps of the stem and of each stage, in the order of f0, f1, f2, ... of RepDistiller (Tian et al.,
    arXiv:1910.10699) and mdistiller (Zhao et al., arXiv:2203.08679); the gradient flows through all of them.
    """

    maps: tuple[Tensor, ...]  # (B, C, H, W), after the activation
    preactivations: tuple[Tensor, ...]  # (B, C, H, W), before a stage's last activation; the stem's is its map
    vector: Tensor  # (B, D), pooled: the input of the classifier
    logits: Tensor  # (B, K)
