"""Scores of a one-shot student: how many triplets it tells rightly."""

from dataclasses import dataclass

from torch import Tensor, nn

from cellar.engine import inference
from cellar.engine.inference import Split
from cellar.methods.losses.triplet import distances_of
from cellar.metrics import from_predictions


@dataclass(frozen=True)
class OnTriplets:
    """Loss and accuracy of fixed triplets (M, 3) of image numbers, of each split by its name."""

    splits: dict[str, tuple[Split, Tensor]]
    margin: float
    precision: str

    def __call__(self, model: nn.Module) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, (split, triplets) in self.splits.items():
            scores = from_predictions.distance_scores(self.distances(model, split, triplets).cpu().numpy(), self.margin)
            found |= {f"{name}_{key}": scores[key] for key in ("accuracy", "loss")}
        return {**inference.UNSCORED, **found}

    def distances(self, model: nn.Module, split: Split, triplets: Tensor) -> Tensor:
        """Squared distances (M, 2) to the positive and to the negative."""
        batch = inference.VALIDATION_BATCH
        embeddings = inference.predict(model, split.images, split.views, batch, self.precision)
        return distances_of(embeddings, triplets)
