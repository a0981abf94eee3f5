"""Distillation of features (small-dataset study, 5.6): a student's penultimate activations should equal its teacher's.

    mse (5.6.1):  loss = mean over images and features of (s - t)²
    bce (5.6.2):  loss = mean over images and features of -t log σ(s) - (1 - t) log(1 - σ(s)),  t between 0 and 1

Both printed equations sum over i = 0 to b, one image too many, and divide by b; here the mean over the b images is taken.
5.6.1 prints |s - t|² summed over features; its text ("mean of distances in every dimension") and its code have the mean.
5.6.2 leaves open how features are combined; the mean is the study's code.

It is the first of two steps: trained on faces without labels; the second is an experiment that starts from it, frozen.
Teacher: run on every batch, on the same augmented faces as the student, for random augmentations do not come twice; its
features of held-out images, which are not augmented, are extracted beforehand. Sampler: random faces with replacement.
Evaluation: R², mean squared and mean absolute error of the features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from cellar import files
from cellar.config.resolved import EvaluationSettings, RunSettings, TrainingSettings
from cellar.config.section import Count, Section
from cellar.data.inputs.augmentation import Preprocessing, Split, build_augmentation, open_split
from cellar.data.inputs.prepared import ImageSet
from cellar.engine import runtime
from cellar.engine.evaluate import Arrays, EvalContext
from cellar.engine.runtime import predict
from cellar.engine.teacher import FixedBatchTeacher
from cellar.engine.train_data import TrainData
from cellar.engine.training import NOT_EVALUATED, Batch, EpochIndices, Evaluator, Losses, Sampler
from cellar.errors import CellarError
from cellar.methods.base import EVALUATION_BATCH, Method, Scores, with_random_augmentations
from cellar.models.feature_extractor import FeatureExtractor, check_vector
from cellar.seeding import derive


class FeatureKD(Method):
    class Params(Section):
        """`augment`: whether faces are augmented as the data set's images are (the study's code), or never."""

        loss: Literal["mse", "bce"]
        images_per_epoch: Count
        augment: bool = True

    params: Params
    needs_teacher = "features"
    prediction_kind = "features"

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        if settings.faces is None or settings.face_count is None:
            raise CellarError(f"{settings.key}: method feature_kd needs faces; name them")
        for network in (settings, settings.teacher):
            assert network, "super has refused settings without a teacher"
            check_vector(settings.key, network.model, network.model_file)
        bounded = settings.teacher is not None and settings.teacher.model.endswith("+sigmoid")
        if (self.params.loss == "bce") != bounded:
            raise CellarError(
                f"{settings.key}: loss bce goes with a teacher whose features lie between 0 and 1 "
                "(model: NAME+sigmoid), mse with another; mend one of them"
            )

    def inputs(self, settings: TrainingSettings) -> list[Path]:
        return [*super().inputs(settings), Path(str(settings.faces)), features_of(settings) / "held_out.npz"]

    def wrap(self, model: nn.Module) -> nn.Module:
        return FeatureExtractor(model)

    def prepare(self, data: TrainData) -> None:
        teacher, settings = data.settings.teacher, data.settings
        assert teacher, "check has refused a line without one"
        faces = open_faces_as(teacher.input, data)
        self.teacher = FixedBatchTeacher(
            lambda: runtime.place(FeatureExtractor(data.network_of(teacher, settings.recipe.batch_size)), data.device),
            faces.images,
            faces.augmentation,
            settings.recipe.batch_size,
            settings.precision,
        )

    def train_split(self, data: TrainData) -> Split:
        """The faces, read from disk batch by batch; they have no labels."""
        return open_faces_as(data.settings.input, data)

    def sampler(self, data: TrainData) -> Sampler:
        split = self.train_split(data)
        augmentations = split.augmentation.count if self.params.augment else 1
        return RandomImages(
            self.params.images_per_epoch, len(split.labels), augmentations, data.settings.seed, data.device
        )

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's features (B, D), for bce before the sigmoid. Raises CellarError if the teacher has another D."""
        # A tensor made in inference mode cannot be saved for a backward pass; a copy can.
        target = self.teacher.forward(batch.image, batch.augmentation).clone()
        if output.shape != target.shape:
            raise CellarError(
                f"the student has {output.shape[1]} features, its teacher {target.shape[1]}; "
                "give the student's model a connector in params.yaml (model: NAME+connector)"
            )
        return {"loss": LOSSES[self.params.loss](output, target)}

    def facts(self) -> dict[str, Any]:
        return {"teacher_images_forwarded": self.teacher.images_forwarded}

    def evaluator(self, data: TrainData) -> Evaluator | None:
        held_out = open_held_out(data.settings, data.image_set, "validation", data.device)
        if not len(held_out.target):
            return None
        return FeatureEvaluator(held_out, self.params.loss == "bce", data.settings.precision)

    def predict(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Features (N, D) of the test images."""
        split = open_held_out(context.settings, context.image_set, "test", context.device).split
        bounded, precision = self.params.loss == "bce", context.settings.precision
        return {"features": features_in_order(model, split, bounded, precision)}

    def targets(self, context: EvalContext) -> Arrays:
        """The teacher's features (N, D) of the test images."""
        target = open_held_out(context.settings, context.image_set, "test", context.device).target
        return {"wanted": target, "index": context.rows("test")}

    def evaluation_facts(self, settings: EvaluationSettings) -> dict[str, Any]:
        return {"faces": {"name": Path(str(settings.faces)).name, "count": settings.face_count}}


def mse_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """5.6.1. Activations (B, D) each; the teacher receives no gradient."""
    return functional.mse_loss(student.float(), teacher.detach().float())


def bce_loss(student_logits: Tensor, teacher_probabilities: Tensor) -> Tensor:
    """5.6.2. (B, D) each; the teacher receives no gradient."""
    target = teacher_probabilities.detach().float()
    return functional.binary_cross_entropy_with_logits(student_logits.float(), target)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse_loss, "bce": bce_loss}


@dataclass(frozen=True)
class RandomImages:
    """`size` images an epoch, drawn with replacement, as the small-dataset study's code draws faces."""

    size: int
    images: int  # to draw from
    augmentations: int  # of an image
    seed: int
    device: torch.device

    def __call__(self, epoch: int) -> EpochIndices:
        generator = Generator().manual_seed(derive(self.seed, "images", epoch))
        image = torch.randint(self.images, (self.size,), generator=generator)
        return with_random_augmentations(image, self.augmentations, self.seed, epoch, self.device)


@dataclass(frozen=True)
class HeldOut:
    """Labelled images of the data set, and the teacher's features (N, D) float32 of them."""

    split: Split
    target: np.ndarray


def features_of(settings: RunSettings) -> Path:
    """The folder of the teacher's extracted features."""
    if settings.teacher is None or settings.teacher.features is None:
        raise CellarError(f"{settings.key}: method feature_kd needs a teacher with extracted features; name one")
    return Path(settings.teacher.features)


def open_faces_as(shown: Preprocessing, data: TrainData) -> Split:
    """The faces at one network's size and normalisation. The augmentation is the student's: the same for its teacher."""
    from cellar.data.face_images import FaceImages
    from cellar.data.face_shards import open_faces

    settings = data.settings
    shards = open_faces(Path(str(settings.faces)), settings.face_count or 0)
    faces = FaceImages(shards, shown.input_size, data.device)
    unlabelled = torch.zeros(len(faces), dtype=torch.long, device=data.device)
    return Split(faces, unlabelled, build_augmentation(settings.input.augmentation, shown.normalisation))


def open_held_out(settings: RunSettings, image_set: ImageSet, name: str, device: torch.device) -> HeldOut:
    """The images of one split, with the teacher's features."""
    held_out = files.read_arrays(features_of(settings) / "held_out.npz")
    chosen = image_set.split[held_out["index"]] == name
    return HeldOut(
        open_split(image_set, held_out["index"][chosen], settings.input, device), held_out["features"][chosen]
    )


@dataclass(frozen=True)
class FeatureEvaluator:
    """R², mean squared and mean absolute error against the teacher's features.

    `bounded`: the student's features go through a sigmoid first, as binary cross-entropy takes them.
    """

    held_out: HeldOut
    bounded: bool
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        from cellar.metrics.features import compare

        features = features_in_order(model, self.held_out.split, self.bounded, self.precision)
        scores = compare(features, self.held_out.target)
        named = {f"validation_{name}": value for name, value in scores.items()}
        return {**NOT_EVALUATED, "validation_loss": scores["mse"], **named}


def features_in_order(model: nn.Module, split: Split, bounded: bool, precision: str) -> np.ndarray:
    """(N, D) float32 of every image of the split, in order."""
    features = predict(model, split.images, split.augmentation, EVALUATION_BATCH, precision)
    return (torch.sigmoid(features) if bounded else features).cpu().numpy()


METHOD = FeatureKD
