"""The base of methods that distil feature maps, or the vector that the classifier reads, from a teacher.

    loss = task_weight CE(labels) + distill_weight T² KL(teacher || student) + feature_weight (the method's own loss)

The teacher sees the same augmented images, in evaluation mode, in batches of one size: beside the student, unless a store
keeps what `needs_teacher` names. What a method trains beside the student (projectors, regressors; of a few methods on the
teacher's side too) is in `layers`: in the same optimizer, in the checkpoint, and not in the student's weights file. A method
gives `feature_loss`, if need be `layers`, `unsuited` and `needs_teacher`; the defaults of its Params are its authors' for
CIFAR-100.
"""

import math
from typing import Any, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Positive, Section, Weight
from cellar.engine import runtime
from cellar.engine.taught_features import open_features
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.errors import CellarError
from cellar.methods.base import Classifier, Teacher, cross_entropy
from cellar.methods.logit_kd import kl_divergence
from cellar.models import features
from cellar.models.features import FeatureNetwork, Features
from cellar.models.wrapped import Wrapped
from cellar.seeding import derive


class FeatureDistillation(Classifier):
    class Params(Section):
        task_weight: Weight = 1.0  # of the cross-entropy on the labels
        distill_weight: Weight = 0.0  # of T² KL between the teacher's and the student's predictions
        temperature: Positive = 4.0  # T of distill_weight
        feature_weight: Weight  # of the method's own loss

        @model_validator(mode="after")
        def something_to_learn(self) -> Self:
            if not (self.task_weight or self.distill_weight or self.feature_weight):
                raise ValueError("task_weight, distill_weight and feature_weight are all 0: nothing would be learnt")
            return self

    params: Params
    needs_teacher: Teacher = "live"
    class_weights: Tensor | None = None  # (C,)

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        """What is trained beside the student, for features of these shapes (tensors without memory)."""
        return nn.Module()

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        """The method's own loss, a scalar, without its weight."""
        raise NotImplementedError

    def unsuited(self, student: Features, teacher: Features) -> str:
        """Why the method cannot serve networks with features of these shapes; "" if it can."""
        return ""

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        try:
            problem = self.unsuited(*shapes(settings))
        except CellarError as error:
            problem = str(error)
        if problem:
            raise CellarError(f"{settings.key}: method {settings.method['name']}: {problem}")

    def wrap(self, model: nn.Module) -> nn.Module:
        self.student = Student(model)
        return self.student

    def prepare(self, data: TrainData) -> None:
        settings = data.settings
        self.class_weights, self.teacher = data.class_weights, open_features(data, self.needs_teacher)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(settings.seed, "layers beside the student"))
            self.student.add(runtime.place(self.layers(*shapes(settings)), data.device))

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        self.teacher.begin_epoch(indices)

    @property
    def teacher_classifier(self) -> nn.Linear:
        """The teacher's last layer, frozen."""
        network = self.teacher.model
        assert isinstance(network, FeatureNetwork)
        return network.classifier.requires_grad_(False)

    def loss(self, output: Features, batch: Batch) -> Losses:
        """output: the student's features. The teacher runs only where a term needs it; a term without weight is not a number."""
        weights, params = self.weights(), self.params
        task = cross_entropy(output.logits, batch.labels, self.class_weights)
        terms = {
            "task_loss": task,
            "distill_loss": task.new_tensor(math.nan),
            "feature_loss": task.new_tensor(math.nan),
        }
        if weights.keys() - {"task_loss"}:
            taught = self.teacher.features(batch)
            if "distill_loss" in weights:
                divergence = kl_divergence(output.logits, taught.logits, params.temperature)
                terms["distill_loss"] = params.temperature**2 * divergence
            if "feature_loss" in weights:
                terms["feature_loss"] = self.feature_loss(output, taught, batch)
        weighted = [weight * terms[name] for name, weight in weights.items()]
        return {"loss": sum(weighted[1:], weighted[0]), **terms}

    def weights(self) -> dict[str, float]:
        """Term -> its weight in this epoch, without terms of weight 0: what they alone would train then does not decay."""
        names = {"task_loss": "task_weight", "distill_loss": "distill_weight", "feature_loss": "feature_weight"}
        weights = {term: float(getattr(self.params, name)) for term, name in names.items()}
        return {term: weight for term, weight in weights.items() if weight}

    def state_dict(self) -> dict[str, Any]:
        return {"layers": self.student.layers.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.student.layers.load_state_dict(state["layers"])

    def facts(self) -> dict[str, Any]:
        return self.teacher.facts()


class Student(Wrapped):
    """A network, and the layers trained beside it. In training (B, 3, H, W) -> Features, else logits (B, classes).

    Its state dict is the network's, under the network's own names.
    """

    layers: nn.Module

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.add(nn.Module())

    def add(self, layers: nn.Module) -> None:
        """Train these layers beside the network."""
        self.layers = layers

    def forward(self, images: Tensor) -> Features | Tensor:
        if not self.training:
            logits: Tensor = self.network(images)
            return logits
        served: Features = self.network.features(images)  # type: ignore[operator]  # a method, not a layer
        return served


def check_pooled(settings: TrainingSettings, advice: str) -> None:
    """Raises CellarError if the teacher's classifier does not read its pooled last map, which the method puts in its place."""
    teacher = settings.teacher
    assert teacher, "Method.check has refused settings without one"
    if not features.pools_last_map(teacher.model, teacher.model_file, teacher.input.input_size):
        raise CellarError(
            f"{settings.key}: method {settings.method['name']}: the classifier of {teacher.model} does not read its pooled last map; "
            f"{advice}"
        )


def shapes(settings: TrainingSettings) -> tuple[Features, Features]:
    """Tensors without memory that have the shapes of a batch of student's and teacher's features."""
    teacher, batch_size = settings.teacher, settings.recipe.batch_size
    assert teacher, "Method.check has refused settings without one"
    student = features.of(settings.model, settings.model_file, settings.input.input_size, batch_size)
    return student, features.of(teacher.model, teacher.model_file, teacher.input.input_size, batch_size)
