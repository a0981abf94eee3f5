"""Features of a teacher for a student's training: from a store, where they can be kept, else computed beside the student."""

from typing import Any, Protocol

import torch
from torch import nn

from cellar.config.params import TeacherCache
from cellar.data.inputs.augmentation import build_augmentation
from cellar.engine.output_store import MB, images_held
from cellar.engine.teacher import CachedTeacher, Content, FixedBatchTeacher
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices
from cellar.models import features
from cellar.models.features import Features

STORED = ("vector", "last_map")  # contents that a store can hold, of those that methods of features ask for
ENOUGH = 0.25  # of the images: a store that would hold fewer is not worth its disk space
RETURNS = 0.5  # of an image's augmentations: so many a training must come to before its maps are worth theirs
AHEAD = 256 * MB  # bytes of features that are fetched together


class FeatureTeacher(Protocol):
    """What a method of features needs of its teacher."""

    @property
    def model(self) -> nn.Module:
        """The network, with its weights, in evaluation mode."""
        ...

    def begin_epoch(self, indices: EpochIndices) -> None:
        """Called before each epoch with the images to come."""
        ...

    def features(self, batch: Batch) -> Features:
        """Of a batch of the epoch, (B, ...) float32, without gradients."""
        ...

    def facts(self) -> dict[str, Any]:
        """For the run record."""
        ...


class LiveFeatures:
    """Runs the teacher on every batch."""

    def __init__(self, network: FixedBatchTeacher) -> None:
        self.network = network

    @property
    def model(self) -> nn.Module:
        return self.network.model

    def begin_epoch(self, indices: EpochIndices) -> None:
        """Nothing: it needs no image before its batch."""

    def features(self, batch: Batch) -> Features:
        return self.network.features(batch.image, batch.augmentation)

    def facts(self) -> dict[str, Any]:
        return {"teacher_images_forwarded": self.network.images_forwarded}


class StoredFeatures:
    """Fetches the features of several batches at once, so that the teacher computes what the store lacks in full batches.

    An epoch in which no batch is asked for costs nothing. Features have the parts of the store's content alone.
    """

    def __init__(self, cached: CachedTeacher) -> None:
        self.cached = cached

    @property
    def model(self) -> nn.Module:
        return self.cached.network.model

    def begin_epoch(self, indices: EpochIndices) -> None:
        self.indices, self.start, self.rows = indices, 0, torch.empty(0)

    def features(self, batch: Batch) -> Features:
        start, size = batch.position.start, len(batch.image)
        if not self.start <= start < self.start + len(self.rows):
            self.fetch(start, size)
        return self.cached.content.features(self.rows[start - self.start :][:size])

    def fetch(self, start: int, size: int) -> None:
        """Get the rows of as many batches of this size as AHEAD has room for, one at least."""
        width = self.cached.content.width
        part = slice(start, start + size * max(1, AHEAD // (size * width * torch.float32.itemsize)))
        self.rows, self.start = self.cached.outputs(self.indices.image[part], self.indices.augmentation[part]), start

    def facts(self) -> dict[str, Any]:
        return self.cached.facts()


def open_features(data: TrainData, needs: str) -> FeatureTeacher:
    """`needs`: a method's needs_teacher. A teacher beside the student runs at the student's batch size, one with a store at
    the store's."""
    if needs in STORED and is_worth_storing(data, content := content_of(data, needs)):
        return StoredFeatures(data.cached_teacher(content))
    return LiveFeatures(data.live_teacher)


def content_of(data: TrainData, needs: str) -> Content:
    teacher = data.settings.teacher
    assert teacher
    served = features.of(teacher.model, teacher.model_file, teacher.input.input_size, 1)
    return Content.of(needs, data.num_classes, served)


def is_worth_storing(data: TrainData, content: Content) -> bool:
    cache, teacher = data.settings.teacher_cache, data.settings.teacher
    assert teacher
    augmentations = build_augmentation(teacher.input.augmentation, teacher.input.normalisation).count
    return cache is not None and bool(
        images_worth_holding(data.num_train_val, augmentations, content, cache, data.settings.recipe.epochs)
    )


def images_worth_holding(images: int, augmentations: int, content: Content, cache: TeacherCache, epochs: int) -> int:
    """How many images a store has: 0 where the budget holds too few, or where a training would read too few of the maps, each
    as large as many vectors."""
    held = images_held(images, augmentations, content.width, cache.storage, cache.budget_mb)
    too_few_read = content.name == "last_map" and epochs < RETURNS * augmentations
    return 0 if held < ENOUGH * images or too_few_read else held
