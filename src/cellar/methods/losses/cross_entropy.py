"""Cross-entropy with hard labels (Mini-ResEmoteNet, eq. 5), weighted by class."""

import torch
from torch import Tensor
from torch.nn import functional

from cellar.errors import CellarError


def cross_entropy(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Mean over the batch of -w_y log softmax(logits)_y, divided by the mean of w_y; float32 throughout.

    logits (B, C), labels (B,), class_weights (C,) or None for equal weights.
    """
    return functional.cross_entropy(logits.float(), labels, weight=class_weights)


def balanced_class_weights(labels: Tensor, num_classes: int) -> Tensor:
    """n / (K n_c) for each class c (K,), as scikit-learn's "balanced": the paper gives no formula.

    Raises CellarError for a class without images, whose weight would be infinite.
    """
    counts = torch.bincount(labels, minlength=num_classes).float()
    absent = (counts == 0).nonzero().flatten().tolist()
    if absent:
        raise CellarError(
            f"class {absent[0]} of 0..{num_classes - 1} has no training image, so it has no balanced weight; "
            "add images, or set class_weighting: none in params.yaml"
        )
    return len(labels) / (num_classes * counts)
