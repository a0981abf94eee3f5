"""From a model to its predictions: logits of images in order, and the two numbers that training watches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.data.augmentation.views import Images, ViewSet, to_tensor, view_set
from cellar.data.image_set import ImageSet
from cellar.engine import devices

VALIDATION_BATCH = 256
UNSCORED = {"validation_loss": math.nan, "validation_accuracy": math.nan}


@dataclass(frozen=True)
class Split:
    """Images (N, 1 or 3, H, W) uint8 and labels (N,) on one device, and the views that they are seen in."""

    images: Images
    labels: Tensor
    views: ViewSet


def open_split(image_set: ImageSet, rows: slice, wanted: Mapping[str, Any], device: torch.device) -> Split:
    """Those rows as a model is shown them; `wanted`: input_size, augmentation, normalisation (Params.input_of)."""
    images = to_tensor(image_set.images[rows], wanted["input_size"], device)
    labels = torch.from_numpy(image_set.labels[rows]).to(device)
    return Split(images, labels, view_set(wanted["augmentation"], wanted["normalisation"]))


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
