"""How a model is scored after an epoch, each way of learning in its own: names and numbers for the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from cellar import evaluation, feature_metrics, grades, metrics
from cellar.evaluation import Split
from cellar.losses.triplet import distances_of
from cellar.maml import Maml, score_tasks
from cellar.training import Judge

Scores = dict[str, float]


def on_labels(validation: Split | None, watched: Mapping[str, Split], precision: str) -> Judge | None:
    """Accuracy and loss on validation; of splits that are watched, and then of validation, macro averages too."""
    if not watched:
        return partial(evaluation.score, split=validation, precision=precision) if validation else None

    def judge(model: nn.Module) -> Scores:
        scores = evaluation.score(model, validation, precision) if validation else evaluation.UNSCORED
        found = dict(scores)
        for name, split in [*([("validation", validation)] if validation else []), *watched.items()]:
            found |= {f"{name}_{key}": value for key, value in averages(model, split, precision).items()}
        return found | scores

    return judge


def averages(model: nn.Module, split: Split, precision: str) -> Scores:
    """Accuracy, and macro precision, recall and F1, in percent."""
    logits = evaluation.predict(model, split.images, split.views, evaluation.VALIDATION_BATCH, precision)
    classes = [str(number) for number in range(logits.shape[1])]
    found = metrics.averages(logits.cpu().numpy(), split.labels.cpu().numpy(), classes)
    return {"accuracy": found["accuracy"], **found["macro"]}


@dataclass(frozen=True)
class OnFeatures:
    """R², mean squared and mean absolute error against a teacher's activations (N, D) of the split's images.

    `bounded`: the student's features go through a sigmoid first, as binary cross-entropy takes them.
    """

    split: Split
    wanted: np.ndarray
    bounded: bool
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        found = feature_metrics.compare(self.features(model), self.wanted)
        named = {f"validation_{name}": value for name, value in found.items()}
        return {**evaluation.UNSCORED, "validation_loss": found["mse"], **named}

    def features(self, model: nn.Module) -> np.ndarray:
        """(N, D) float32 of every image of the split, in order."""
        batch = evaluation.VALIDATION_BATCH
        found = evaluation.predict(model, self.split.images, self.split.views, batch, self.precision)
        return (torch.sigmoid(found) if self.bounded else found).cpu().numpy()


@dataclass(frozen=True)
class OnTriplets:
    """Loss and accuracy of fixed triplets (M, 3) of image numbers, of each split by its name."""

    splits: dict[str, tuple[Split, Tensor]]
    margin: float
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        found: Scores = {}
        for name, (split, triplets) in self.splits.items():
            scores = grades.distance_scores(self.distances(model, split, triplets).cpu().numpy(), self.margin)
            found |= {f"{name}_{key}": scores[key] for key in ("accuracy", "loss")}
        return {**evaluation.UNSCORED, **found}

    def distances(self, model: nn.Module, split: Split, triplets: Tensor) -> Tensor:
        """Squared distances (M, 2) to the positive and to the negative."""
        batch = evaluation.VALIDATION_BATCH
        embeddings = evaluation.predict(model, split.images, split.views, batch, self.precision)
        return distances_of(embeddings, triplets)


@dataclass(frozen=True)
class OnTasks:
    """Loss and accuracy after adapting to fixed tasks of a split."""

    split: Split
    tasks: Tensor
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        assert isinstance(model, Maml)
        found = score_tasks(model, self.split, self.tasks, self.precision)
        return {"validation_loss": found["loss"], "validation_accuracy": found["accuracy"]}
