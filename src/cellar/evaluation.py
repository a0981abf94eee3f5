"""From a model to its predictions: logits of images in order, and the two numbers that training watches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar import devices
from cellar.views import Images, ViewSet

VALIDATION_BATCH = 256
UNSCORED = {"validation_loss": math.nan, "validation_accuracy": math.nan}


@dataclass(frozen=True)
class Split:
    """Images (N, 1 or 3, H, W) uint8 and labels (N,) on one device, and the views that they are seen in."""

    images: Images
    labels: Tensor
    views: ViewSet


@torch.inference_mode()
def predict(model: nn.Module, images: Images, views: ViewSet, batch_size: int, precision: str = "fp32") -> Tensor:
    """Logits (N, C) float32 of every image (N, 1 or 3, H, W) uint8, unaugmented, in order."""
    model.eval()
    parts = []
    for inputs in views.plain(images, batch_size):
        with devices.autocast(inputs.device, precision):
            parts.append(model(inputs).float())
    return torch.cat(parts)


def score(model: nn.Module, split: Split, precision: str) -> dict[str, float]:
    """Validation loss (mean cross-entropy per image, unweighted) and accuracy in percent."""
    logits = predict(model, split.images, split.views, VALIDATION_BATCH, precision)
    return {
        "validation_loss": functional.cross_entropy(logits, split.labels).item(),
        "validation_accuracy": (logits.argmax(1) == split.labels).double().mean().item() * 100,
    }
