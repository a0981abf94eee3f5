"""Scores of a student of features: how near it comes to its teacher on images of the data set."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from cellar.engine import inference
from cellar.engine.inference import Split
from cellar.metrics import features as feature_metrics


@dataclass(frozen=True)
class OnFeatures:
    """R², mean squared and mean absolute error against a teacher's activations (N, D) of the split's images.

    `bounded`: the student's features go through a sigmoid first, as binary cross-entropy takes them.
    """

    split: Split
    wanted: np.ndarray
    bounded: bool
    precision: str

    def __call__(self, model: nn.Module) -> dict[str, float]:
        found = feature_metrics.compare(self.features(model), self.wanted)
        named = {f"validation_{name}": value for name, value in found.items()}
        return {**inference.UNSCORED, "validation_loss": found["mse"], **named}

    def features(self, model: nn.Module) -> np.ndarray:
        """(N, D) float32 of every image of the split, in order."""
        batch = inference.VALIDATION_BATCH
        found = inference.predict(model, self.split.images, self.split.views, batch, self.precision)
        return (torch.sigmoid(found) if self.bounded else found).cpu().numpy()
