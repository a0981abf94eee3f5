"""What an epoch of a training costs, measured over some of its steps by the training loop itself.

A method may have stages, each with other steps: each is timed at its last epoch, where warm-ups of weights have ended. The teacher has
fresh weights, on which the time does not depend, so a cost needs no trained teacher. Logits that a cache would keep are computed before the
clock starts; a live teacher runs within the steps.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from cellar import models, paths
from cellar.config.resolved import TeacherSettings, TrainingSettings
from cellar.data.inputs import prepared
from cellar.engine import profiling, runtime
from cellar.engine.profiling import MB
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.setup import TrainData, build_network, load_method
from cellar.engine.teacher import FixedBatchTeacher
from cellar.engine.training import EpochIndices, train_epoch

PROTOCOL = (
    "{repeats} training steps of each stage of the method, after {warmup} that are not timed: augmentation, forward and backward pass, "
    "the optimizer's step, and a live teacher's forward pass; without evaluations, checkpoints and the filling of the cache of logits; "
    "nothing else run by the pipeline meanwhile. Memory: {memory}, from before the networks are built to the last step"
)
QUIET = Progress(None, 0)  # prints nothing


class ComputedLogits:
    """The logits of a teacher, without a store."""

    def __init__(self, network: FixedBatchTeacher) -> None:
        self.network = network

    def logits(self, image: Tensor, augmentation: Tensor) -> Tensor:
        """(N, C) float32 for image numbers and augmentation indices (N,)."""
        return torch.cat(list(self.network.outputs(image, augmentation)))

    def facts(self) -> dict[str, Any]:
        return {"teacher_images_forwarded": self.network.images_forwarded}


class TimedData(TrainData):
    """The data of a training whose teacher has fresh weights."""

    def network_of(self, teacher: TeacherSettings) -> nn.Module:
        network = models.build(teacher.model, self.num_classes, teacher.model_file)
        cache, side = self.settings.teacher_cache, teacher.input.input_size
        batch = (cache.batch_size if cache else self.settings.recipe.batch_size, 3, side, side)
        return runtime.place(network, self.device, batch, self.settings.precision)

    @cached_property
    def teacher(self) -> ComputedLogits:  # type: ignore[override]  # what methods read of it
        teacher, cache = self.settings.teacher, self.settings.teacher_cache
        assert teacher and cache, "a method that asks for logits has a teacher"
        split = self.shown_to(teacher)
        shown = split.images, split.augmentation
        return ComputedLogits(
            FixedBatchTeacher(lambda: self.network_of(teacher), *shown, cache.batch_size, self.settings.precision)
        )


@dataclass(frozen=True)
class Stage:
    """Epochs with the same steps: their number, seconds of each, and images that the teacher computes in each."""

    epochs: int
    seconds: float
    teacher_images: float


def measure(settings: TrainingSettings, warmup: int, repeats: int) -> dict[str, Any]:
    """Seconds an epoch and images a second, mean over the recipe's epochs; images that the teacher computes in the whole training
    (of cached logits each pair once, at most); memory in MB of 2**20 bytes."""
    method: Any = load_method(settings.method, settings.method_file)
    method.check(settings)
    device = runtime.prepare(settings.threads)
    data = TimedData(settings, prepared.load(paths.prepared(settings.dataset)), device)
    size = method.sampler(data).size  # which loads the images, before memory is measured
    before, memory = profiling.start_memory_peak(device)
    model = runtime.place(method.wrap(build_network(settings, method.num_outputs(data.num_classes), device)), device)
    method.prepare(data)
    stages = list(timed(Training(settings, data, method, model, warmup, repeats)))
    seconds = sum(stage.epochs * stage.seconds for stage in stages) / settings.recipe.epochs
    return {
        "dataset": settings.dataset,
        "model": settings.model,
        "method": settings.method["name"],
        "device": device.type,
        "device_name": runtime.device_name(device),
        "threads": torch.get_num_threads(),
        "precision": settings.precision,
        "warmup": warmup,
        "repeats": repeats,
        "protocol": PROTOCOL.format(warmup=warmup, repeats=repeats, memory=memory),
        "seconds_per_epoch": round(seconds, 4),
        "images_per_second": round(size / seconds, 2),
        "teacher": method.needs_teacher,
        "teacher_images": teacher_images(settings, data, method, stages, size),
        "peak_memory_mb": round((profiling.memory_peak(device) - before) / MB, 2),
    }


@dataclass(frozen=True)
class Training:
    """A training of which some steps are timed."""

    settings: TrainingSettings
    data: TimedData
    method: Any
    model: nn.Module
    warmup: int
    repeats: int


def timed(training: Training) -> Iterator[Stage]:
    """Stage by stage, each at its last epoch."""
    recipe, method = training.settings.recipe, training.method
    starts = [epoch for epoch in range(recipe.epochs) if epoch == 0 or method.restarts_optimizer(epoch)]
    optimizer = Optimizer(training.model, recipe)
    for first, after in zip(starts, [*starts[1:], recipe.epochs], strict=True):
        optimizer.restart()
        indices = training.method.sampler(training.data)(after - 1)
        run_steps(training, optimizer, after - 1, part(indices, 0, training.warmup * recipe.batch_size))
        start = training.warmup * recipe.batch_size % len(indices.image)
        chosen = part(indices, start, start + training.repeats * recipe.batch_size)
        seconds, forwarded = run_steps(training, optimizer, after - 1, chosen)
        scale = len(indices.image) / len(chosen.image)
        yield Stage(after - first, seconds * scale, forwarded * scale)


def part(indices: EpochIndices, start: int, stop: int) -> EpochIndices:
    """Some of an epoch's images; those that are left where there are fewer."""
    return replace(indices, image=indices.image[start:stop], augmentation=indices.augmentation[start:stop])


def run_steps(training: Training, optimizer: Optimizer, epoch: int, indices: EpochIndices) -> tuple[float, int]:
    """Seconds of a pass over `indices`, and images that the teacher computes within it."""
    settings, method, device = training.settings, training.method, training.data.device
    if not len(indices.image):
        return 0.0, 0
    method.begin_epoch(epoch, indices)
    before = forwarded(method)
    profiling.synchronise(device)
    start = time.perf_counter()
    train_epoch(
        training.model, method.train_split(training.data), indices, method, optimizer, settings.recipe.batch_size,
        settings.precision, QUIET,
    )  # fmt: skip
    profiling.synchronise(device)
    return time.perf_counter() - start, forwarded(method) - before


def forwarded(method: Any) -> int:
    return int(method.facts().get("teacher_images_forwarded", 0))


def teacher_images(settings: TrainingSettings, data: TimedData, method: Any, stages: list[Stage], size: int) -> int:
    """In the whole training: of a live teacher what its steps ask for; of cached logits every pair of image and augmentation that
    comes up, at most once."""
    if method.needs_teacher == "logits":
        return min(size * settings.recipe.epochs, data.num_train * data.train.augmentation.count)
    return round(sum(stage.epochs * stage.teacher_images for stage in stages))
