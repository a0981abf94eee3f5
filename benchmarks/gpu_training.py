"""A distillation by the engine on noise, of any size: what the parts of gpu_check.py train and time."""

import time
from pathlib import Path
from typing import Any

import torch

from cellar import models
from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import runtime, training
from cellar.engine.output_store import OutputStore
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.teacher import CachedTeacher, FixedBatchTeacher
from cellar.engine.training import EpochIndices
from cellar.methods.base import Method, ShuffledSampler
from cellar.methods.labels import Labels
from cellar.methods.logit_kd import LogitKD

ON_GPU = torch.cuda.is_available()
THREADS = 2
RECIPE: dict[str, Any] = {
    "epochs": 80, "learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.0001, "class_weighting": "balanced",
    "schedule": {"plateau": {"factor": 0.1, "patience": 5}}, "select_on": "validation_accuracy",
}  # fmt: skip
PARAMS = LogitKD.Params(temperature=3, task_weight=0.15, distill_weight=0.85, loss_form="weighted")


def now() -> float:
    """Seconds, once the device has finished its queue."""
    if ON_GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


class Training:
    """Of `student`, by a `teacher` or from labels alone, on noise (N, 1, size, size), mirrored or not.

    `compiled`: a mode of torch.compile. The folder that it runs in receives the teacher's logits.
    """

    def __init__(
        self, teacher: str | None, student: str, size: int, batch: int, precision: str, *, images: int,
        classes: int = 7, compiled: str | None = None,
    ) -> None:  # fmt: skip
        self.device = runtime.prepare(THREADS)
        self.batch, self.precision, self.images = batch, precision, images
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randint(256, (images, 1, size, size), dtype=torch.uint8, generator=generator)
        labels = torch.arange(images) % classes
        augmentation = build_augmentation("flip", "imagenet")
        self.split = Split(pixels.to(self.device), labels.to(self.device), augmentation)
        self.model = runtime.place(models.build(student, classes), self.device)
        self.trained = torch.compile(self.model, mode=compiled) if compiled else self.model
        self.optimizer = Optimizer(self.model, Recipe.model_validate(RECIPE | {"batch_size": batch}))
        self.indices = ShuffledSampler(images, augmentation.count, 0, self.device)(0)
        self.method: Method = Labels(Labels.Params())
        if teacher:
            self.method = self.distillation(teacher, classes)

    def distillation(self, teacher: str, classes: int) -> LogitKD:
        augmentation = self.split.augmentation
        network = FixedBatchTeacher(
            lambda: runtime.place(models.build(teacher, classes), self.device),
            self.split.images, augmentation, min(128, self.images), self.precision,
        )  # fmt: skip
        method = LogitKD(PARAMS)
        identity = {"teacher": teacher, "precision": self.precision, "folder": str(Path.cwd()), "started": time.time()}
        method.teacher = CachedTeacher(
            network, OutputStore(identity, self.images, augmentation.count, classes, "fp32", 4096)
        )
        return method

    def epoch(self, first: int = 0, last: int | None = None) -> float:
        """Train on the images from `first` to `last` of the epoch, by default all; seconds."""
        start, part = now(), slice(first, last)
        indices = EpochIndices(self.indices.image[part], self.indices.augmentation[part])
        self.method.begin_epoch(0, indices)
        training.train_epoch(
            self.trained,
            self.split,
            indices,
            self.method,
            self.optimizer,
            self.batch,
            self.precision,
            Progress(None, 1),
        )
        return now() - start
