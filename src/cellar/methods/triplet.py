"""One-shot learning with the triplet loss (small-dataset study, 5.1; eq. 1 and 5).

    loss = mean over triplets (A, P, N) of max(|f(A) - f(P)|² - |f(A) - f(N)|² + margin, 0)

f(x) are the penultimate activations. After FaceNet (arXiv:1503.03832), which scales embeddings to length 1; the study does
not say so, and they are used as they are. Accuracy is eq. 6 (cellar.metrics.from_predictions).

Teacher: none. Sampler: random triplets. Evaluation: loss and accuracy on fixed triplets, as many as an epoch has.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Count, Positive, Section
from cellar.data.inputs.augmentation import Split
from cellar.data.inputs.classes import Groups, random_below
from cellar.engine.evaluate import Arrays, EvalContext
from cellar.engine.runtime import predict
from cellar.engine.train_data import TrainData
from cellar.engine.training import NOT_EVALUATED, Batch, EpochIndices, Evaluator, Losses, Sampler
from cellar.errors import CellarError
from cellar.methods.base import EVALUATION_BATCH, Method, Scores, with_random_augmentations
from cellar.metrics import from_predictions
from cellar.models.feature_extractor import FeatureExtractor, check_vector
from cellar.seeding import derive

ROWS = 1024  # triplets at a time: with 2,048 features, 25 MB


class Triplet(Method):
    class Params(Section):
        margin: Positive
        per_epoch: Count

    params: Params
    can_start = True
    prediction_kind = "triplets"

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        if settings.freeze:
            raise CellarError(
                f"{settings.key}: triplets train features, which freeze keeps as they are: say freeze: false"
            )
        if settings.recipe.batch_size % 3:
            raise CellarError(
                f"{settings.key}: a batch of its recipe would cut a triplet in two; make its batch_size a multiple of 3"
            )
        check_vector(settings.key, settings.model, settings.model_file)

    def wrap(self, model: nn.Module) -> nn.Module:
        return FeatureExtractor(model)

    def sampler(self, data: TrainData) -> Sampler:
        return RandomTriplets(
            data.train.labels, self.params.per_epoch, data.train.augmentation.count, data.settings.seed
        )

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: embeddings (3B, D) in the order anchor, positive, negative, anchor, …"""
        return {"loss": ordered_triplet_loss(output, self.params.margin)}

    def evaluator(self, data: TrainData) -> Evaluator:
        splits = {"validation": data.validation} if data.validation else {}
        splits |= data.watched()
        fixed = {name: (split, self.fixed_triplets(split, name)) for name, split in splits.items()}
        return TripletEvaluator(fixed, self.params.margin, data.settings.precision)

    def predict(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Squared distances (M, 2) of fixed triplets of test images, to the positive and to the negative."""
        return {"distances": self.distances(model, context, "test")}

    def predict_extra(self, model: nn.Module, context: EvalContext) -> Arrays:
        return {"train_distances": self.distances(model, context, "train")}

    def targets(self, context: EvalContext) -> Arrays:
        triplets = self.fixed_triplets(context.split("test"), "test").cpu().numpy()
        return {"index": context.rows("test")[triplets], "margin": np.array(self.params.margin)}

    def distances(self, model: nn.Module, context: EvalContext, name: str) -> np.ndarray:
        split = context.split(name)
        triplets = self.fixed_triplets(split, name)
        return distances_in(model, split, triplets, context.settings.precision).cpu().numpy()

    def fixed_triplets(self, split: Split, name: str) -> Tensor:
        """Triplets (M, 3) of a split, as many as an epoch has; the same for every experiment and seed."""
        return fixed_triplets(split.labels, self.params.per_epoch, derive(0, name))


def squared_distances(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """|f(A) - f(P)|² and |f(A) - f(N)|² of embeddings (B, D) each: (B, 2) float32."""
    near, far = (anchor.float() - other.float() for other in (positive, negative))
    return torch.stack([near.square().sum(1), far.square().sum(1)], 1)


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Eq. 1 of embeddings (B, D) each."""
    near, far = squared_distances(anchor, positive, negative).unbind(1)
    return (near - far + margin).relu().mean()


def ordered_triplet_loss(embeddings: Tensor, margin: float) -> Tensor:
    """Eq. 1 of embeddings (3B, D) in the order anchor, positive, negative, anchor, …

    Raises CellarError for a batch that ends within a triplet.
    """
    if len(embeddings) % 3:
        raise CellarError(
            f"a batch of {len(embeddings)} images cuts a triplet in two; make batch_size in its recipe a multiple of 3"
        )
    anchor, positive, negative = embeddings.unflatten(0, (-1, 3)).unbind(1)
    return triplet_loss(anchor, positive, negative, margin)


@dataclass(frozen=True)
class RandomTriplets:
    """`triplets` random triplets an epoch, in the order anchor, positive, negative, anchor, …

    Anchors are uniform over images, positives over the other images of their class, negatives over the images of other
    classes; each image gets a random augmentation. Raises CellarError for a class with one image.
    """

    labels: Tensor  # (N,)
    triplets: int
    augmentations: int  # of an image
    seed: int

    @property
    def size(self) -> int:
        return 3 * self.triplets

    def __call__(self, epoch: int) -> EpochIndices:
        groups = Groups.by_class(self.labels)
        groups.require(2, "a triplet takes 2 of a class; add one, or take the class out")
        index = random_triplets(groups, self.triplets, Generator().manual_seed(derive(self.seed, "triplets", epoch)))
        return with_random_augmentations(index.flatten(), self.augmentations, self.seed, epoch, self.labels.device)


def fixed_triplets(labels: Tensor, triplets: int, seed: int) -> Tensor:
    """Image numbers (M, 3) to evaluate on: anchor, positive, negative. A class with one image gives negatives only."""
    generator = Generator().manual_seed(derive(seed, "fixed triplets"))
    return random_triplets(Groups.by_class(labels), triplets, generator).to(labels.device)


def random_triplets(groups: Groups, triplets: int, generator: Generator) -> Tensor:
    """Image numbers (T, 3): anchor, positive, negative. Raises CellarError without two classes, one of two images."""
    paired = groups.count > 1
    if len(groups.classes) < 2 or not paired.any():
        raise CellarError("triplets need two classes, one of them with two images; the images have no such classes")
    group = torch.arange(len(groups.count)).repeat_interleave(groups.count)  # (N,), of each place in the order
    places = paired[group].nonzero().flatten()
    anchor = places[torch.randint(len(places), (triplets,), generator=generator)]
    start, count = groups.start[group[anchor]], groups.count[group[anchor]]
    positive = start + (anchor - start + 1 + random_below(count - 1, generator)) % count
    negative = (start + count + random_below(len(group) - count, generator)) % len(group)
    return groups.order[torch.stack([anchor, positive, negative], 1)]


@dataclass(frozen=True)
class TripletEvaluator:
    """Loss and accuracy on fixed triplets (M, 3) of image numbers, for each split by its name."""

    splits: dict[str, tuple[Split, Tensor]]
    margin: float
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        scores: Scores = dict(NOT_EVALUATED)
        for name, (split, triplets) in self.splits.items():
            distances = distances_in(model, split, triplets, self.precision).cpu().numpy()
            values = from_predictions.distance_scores(distances, self.margin)
            scores |= {f"{name}_{key}": values[key] for key in ("accuracy", "loss")}
        return scores


def distances_in(model: nn.Module, split: Split, triplets: Tensor, precision: str) -> Tensor:
    """Squared distances (M, 2) of triplets (M, 3) of a split's images."""
    embeddings = predict(model, split.images, split.augmentation, EVALUATION_BATCH, precision)
    return distances_of(embeddings, triplets)


def distances_of(embeddings: Tensor, triplets: Tensor) -> Tensor:
    """Squared distances (M, 2) of triplets (M, 3) of image numbers, from every image's embedding (N, D)."""
    columns = (part.unbind(1) for part in triplets.split(ROWS))
    return torch.cat([squared_distances(embeddings[a], embeddings[p], embeddings[n]) for a, p, n in columns])


METHOD = Triplet
