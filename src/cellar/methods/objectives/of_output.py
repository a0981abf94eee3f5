"""Learning from what the model itself says of a batch, labels or teacher apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cellar.engine.training import Batch, Draw


@dataclass
class OfOutput:
    """`loss`: a model's output (B, ...) -> the scalars named in training.PARTS."""

    loss: Callable[[Tensor], dict[str, Tensor]]

    def begin_epoch(self, draw: Draw) -> None:
        """Nothing is to be known of an epoch beforehand."""

    def __call__(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return self.loss(output)

    def facts(self) -> dict[str, Any]:
        return {}
