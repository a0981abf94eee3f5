"""What a training of features minimises: the distance of a student's penultimate activations from its teacher's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cellar.engine.training import Batch, Draw
from cellar.errors import CellarError
from cellar.methods.losses.feature_distillation import bce_loss, mse_loss

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse_loss, "bce": bce_loss}


@dataclass
class FeatureDistillation:
    """The teacher's activations are known beforehand, (N, D) float16, row n those of image n; memory-mapped, a
    batch's rows are read when the batch comes, so memory holds no more of them."""

    targets: np.ndarray
    loss: Literal["mse", "bce"]

    def begin_epoch(self, draw: Draw) -> None:
        self.rows = draw.index.cpu().numpy()

    def __call__(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The student's features (B, D), for `bce` before a sigmoid. Raises CellarError where the teacher's are wider
        or narrower."""
        wanted = torch.from_numpy(self.targets[self.rows[batch.place]]).to(features.device)
        if features.shape != wanted.shape:
            raise CellarError(
                f"the student has {features.shape[1]} features, its teacher {wanted.shape[1]}; "
                "give the student's model a connector in params.yaml (model: NAME+connector)"
            )
        distill = LOSSES[self.loss](features, wanted)
        return {"loss": distill, "task": torch.zeros_like(distill), "distill": distill}

    def facts(self) -> dict[str, Any]:
        return {}
