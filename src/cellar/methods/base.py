"""The interface of a method, with defaults; and Classifier, the base of methods that train and test a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.config.section import Section
from cellar.data.inputs.augmentation import Split
from cellar.engine.evaluate import Arrays, EvalContext
from cellar.engine.guesses import Guesses
from cellar.engine.runtime import predict
from cellar.engine.train_data import TrainData
from cellar.engine.training import NOT_EVALUATED, Batch, EpochIndices, Evaluator, Losses, Sampler
from cellar.errors import CellarError
from cellar.metrics import classification
from cellar.metrics.scalars import Kind
from cellar.seeding import derive

EVALUATION_BATCH = 256
Scores = dict[str, float]
Teacher = Literal["none", "logits", "vector", "last_map", "live", "features"]


class Method:
    """A method of training; the class that a method's file names as METHOD.

    One object serves one training or one evaluation. A training calls, in this order: check, inputs, num_outputs, wrap,
    prepare, train_split, sampler, evaluator; before each epoch begin_epoch, for each batch loss and observe, after each epoch
    the evaluator; at the end facts. An evaluation calls num_outputs, wrap, predict, predict_extra, targets, evaluation_facts.
    """

    class Params(Section):
        """The method's parameters: the keys beside `name` under `method` in params.yaml."""

    # What it reads of its teacher's outputs for each training image. logits, vector (the classifier's input, and logits) and
    # last_map (and both): a store can keep these. live: more than that, so its forward passes. features: extracted beforehand.
    needs_teacher: Teacher = "none"
    can_start: ClassVar[bool] = False  # from another training's weights
    prediction_kind: ClassVar[Kind] = "classes"  # how metrics are computed from the predictions

    def __init__(self, params: Any) -> None:
        self.params = params

    @property
    def first_stage_epochs(self) -> int:
        """Epochs before those of the recipe, whose schedule starts after them, with a new optimizer."""
        return 0

    def check(self, settings: TrainingSettings) -> None:
        """Raises CellarError, one line, if the settings do not suit the method."""
        name, teacher = settings.method["name"], settings.teacher
        if teacher is None and self.needs_teacher != "none":
            raise CellarError(f"{settings.key}: method {name} needs a teacher; name one")
        if teacher is not None and self.needs_teacher == "none":
            raise CellarError(f"{settings.key}: method {name} has no use for a teacher; leave it out")
        if settings.start and not self.can_start:
            raise CellarError(f"{settings.key}: method {name} cannot start from other weights; leave start out")

    def inputs(self, settings: TrainingSettings) -> list[Path]:
        """Files that a training reads besides the prepared images."""
        return [Path(settings.teacher.weights)] if settings.teacher else []

    def num_outputs(self, num_classes: int) -> int:
        """Outputs of the network's last layer."""
        return num_classes

    def wrap(self, model: nn.Module) -> nn.Module:
        """The module that is trained and tested; its state dict has the network's own names."""
        return model

    def prepare(self, data: TrainData) -> None:
        """Take from the data what loss and begin_epoch use."""

    def train_split(self, data: TrainData) -> Split:
        """The images that are trained on."""
        return data.train

    def sampler(self, data: TrainData) -> Sampler:
        """Chooses the images of each epoch: by default every image once, in a new order with new augmentations."""
        split = self.train_split(data)
        return ShuffledSampler(len(split.labels), split.augmentation.count, data.settings.seed, data.device)

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        """Called before each epoch; `epoch` counts from 0, `indices` are the images to come."""

    def loss(self, output: Any, batch: Batch) -> Losses:
        """ "loss", which is minimised, and any other terms, which are logged under their own names."""
        raise NotImplementedError

    def observe(self, output: Tensor, batch: Batch) -> None:
        """Called after each loss, with the logits (B, C): counts what a score of the training images needs."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values that the method keeps from one epoch to the next, for the checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict returned; called before the first epoch after resuming."""

    def evaluator(self, data: TrainData) -> Evaluator | None:
        """Computes the scores after each epoch; None if no image is held out."""
        return None

    def facts(self) -> dict[str, Any]:
        """What the run record says besides what it says of every training."""
        return {}

    def predict(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Predictions of the test split, by name; computed for the chosen and for the last epoch's weights."""
        raise NotImplementedError

    def predict_extra(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Further predictions of the chosen weights alone."""
        return {}

    def targets(self, context: EvalContext) -> Arrays:
        """What the predictions are compared with."""
        return {}

    def evaluation_facts(self, settings: EvaluationSettings) -> dict[str, Any]:
        """What details.json says besides the scores."""
        return {}


class Classifier(Method):
    """Predicts a class for each image: accuracy and loss after each epoch, logits of the test images.

    Of splits that the recipe watches, and of validation then, macro averages too: of the test images after each epoch, of
    the training images from the guesses made while they were trained on.
    """

    guesses: Guesses | None = None  # if the recipe watches the training images

    def observe(self, output: Tensor, batch: Batch) -> None:
        if self.guesses:
            self.guesses.add(output, batch.labels)

    def evaluator(self, data: TrainData) -> Evaluator | None:
        watch, precision, validation = data.settings.recipe.watch, data.settings.precision, data.validation
        if not watch:
            return (lambda model: validation_scores(model, validation, precision)) if validation else None
        splits = {"validation": validation} if validation else {}
        splits |= {name: split for name, split in data.watched().items() if name != "train"}
        guesses = self.guesses = Guesses(self.num_outputs(data.num_classes), data.device) if "train" in watch else None
        return lambda model: macro_scores(model, splits, precision) | (guesses.take() if guesses else {})

    def predict(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Logits (N, C) float32 of the test images."""
        split = context.split("test")
        return {"logits": predict(model, split.images, split.augmentation, context.settings.batch_size).cpu().numpy()}

    def targets(self, context: EvalContext) -> Arrays:
        index = context.rows("test")
        return {"labels": context.image_set.labels[index], "index": index}


def validation_scores(model: nn.Module, split: Split, precision: str) -> Scores:
    """Mean cross-entropy per image, unweighted, and accuracy in percent."""
    logits = predict(model, split.images, split.augmentation, EVALUATION_BATCH, precision)
    return {
        "validation_loss": functional.cross_entropy(logits, split.labels).item(),
        "validation_accuracy": (logits.argmax(1) == split.labels).double().mean().item() * 100,
    }


def macro_scores(model: nn.Module, splits: Mapping[str, Split], precision: str) -> Scores:
    """Accuracy, macro precision, recall and F1 of each split in percent, and its mean cross-entropy, by <split>_<score>."""
    scores = dict(NOT_EVALUATED)
    for name, split in splits.items():
        logits = predict(model, split.images, split.augmentation, EVALUATION_BATCH, precision)
        classes = [str(number) for number in range(logits.shape[1])]
        found = classification.from_logits(logits.cpu().numpy(), split.labels.cpu().numpy(), classes)
        values = {"accuracy": found["accuracy"], "loss": found["loss"], **found["macro"]}
        scores |= {f"{name}_{key}": value for key, value in values.items()}
    return scores


@dataclass(frozen=True)
class ShuffledSampler:
    """Every image of a split once, in a new order and with new augmentations in each epoch."""

    size: int
    augmentations: int  # of an image
    seed: int
    device: torch.device

    def __call__(self, epoch: int) -> EpochIndices:
        order = torch.randperm(self.size, generator=Generator().manual_seed(derive(self.seed, "order", epoch)))
        return with_random_augmentations(order, self.augmentations, self.seed, epoch, self.device)


def with_random_augmentations(
    image: Tensor, augmentations: int, seed: int, epoch: int, device: torch.device
) -> EpochIndices:
    """Image numbers (N,), each with a random augmentation index; drawn on the CPU, so that all devices see the same."""
    generator = Generator().manual_seed(derive(seed, "views", epoch))
    augmentation = torch.randint(augmentations, image.shape, generator=generator)
    return EpochIndices(image.to(device), augmentation.to(device))


def cross_entropy(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Mean over the batch of -w_y log softmax(logits)_y, divided by the mean of w_y; in float32, of float64 in float64.

    logits (B, C), labels (B,), class_weights (C,) or None for equal weights (Mini-ResEmoteNet, eq. 5).
    """
    logits = full_precision(logits)
    weights = None if class_weights is None else class_weights.to(logits.dtype)
    return functional.cross_entropy(logits, labels, weight=weights)


def full_precision(values: Tensor) -> Tensor:
    """Half precision as float32, in which losses are computed; float32 and float64 as they are."""
    return values if values.dtype == torch.float64 else values.float()
