"""What an epoch of a training costs, measured over some of its steps by the training loop itself.

A method may have stages, each with other steps: each is timed at its last epoch, where warm-ups of weights have ended. The teacher has
fresh weights, on which the time does not depend, so a cost needs no trained teacher. What a store would keep is computed before the clock
starts, and kept in memory; a teacher beside the student runs within the steps, as it does for images beyond a store's budget.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cellar import models, paths
from cellar.config.resolved import TeacherSettings, TrainingSettings
from cellar.data.inputs import prepared
from cellar.engine import profiling, runtime
from cellar.engine.output_store import DTYPES, images_held
from cellar.engine.profiling import MB
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.setup import build_network, load_method
from cellar.engine.taught_features import LiveFeatures, StoredFeatures
from cellar.engine.teacher import CachedTeacher, Content, FixedBatchTeacher
from cellar.engine.train_data import TrainData
from cellar.engine.training import EpochIndices, total_epochs, train_epoch

PROTOCOL = (
    "{repeats} training steps of each stage of the method, after {warmup} that are not timed: augmentation, forward and backward pass, "
    "the optimizer's step, and a live teacher's forward pass; without evaluations, checkpoints and the filling of the teacher's caches; "
    "nothing else run by the pipeline meanwhile. Memory: {memory}, from before the networks are built to the last step"
)
QUIET = Progress(None, 0)  # prints nothing


class Memory:
    """A store of a teacher's outputs that lasts as long as its process (OutputStore)."""

    def __init__(self, images: int, content: Content, storage: str) -> None:
        self.images, self.width, self.dtype = images, content.width, np.dtype(DTYPES[storage])
        self.entries: dict[tuple[int, int], np.ndarray] = {}

    def look_up(self, image: np.ndarray, augmentation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = list(zip(image.tolist(), augmentation.tolist(), strict=True))
        found = [self.entries[pair] for pair in pairs if pair in self.entries]
        known = np.array([pair in self.entries for pair in pairs], bool)
        return known, np.stack(found) if found else np.zeros((0, self.width), np.float32)

    def claim(self, image: np.ndarray, augmentation: np.ndarray, most: int) -> np.ndarray:
        return np.arange(min(most, len(image)))

    def write(self, image: np.ndarray, augmentation: np.ndarray, entries: np.ndarray) -> None:
        for pair, entry in zip(zip(image.tolist(), augmentation.tolist(), strict=True), entries, strict=True):
            if pair[0] < self.images:
                self.entries[pair] = entry


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

    def network_of(self, teacher: TeacherSettings, batch_size: int) -> nn.Module:
        network, side = models.build(teacher.model, self.num_classes, teacher.model_file), teacher.input.input_size
        return runtime.place(network, self.device, (batch_size, 3, side, side), self.settings.precision)

    @cached_property
    def teacher(self) -> ComputedLogits:  # type: ignore[override]  # what methods read of it
        return ComputedLogits(self.cached_teacher(Content.of("logits", self.num_classes)).network)

    def cached_teacher(self, content: Content) -> CachedTeacher:
        teacher, cache = self.settings.teacher, self.settings.teacher_cache
        assert teacher and cache, "a method that asks for a cache has a teacher"
        split = self.shown_to(teacher)
        held = images_held(self.num_train_val, split.augmentation.count, content.width, cache.storage, cache.budget_mb)
        return CachedTeacher(
            self.run_on(split, teacher, cache.batch_size), Memory(held, content, cache.storage), content
        )


@dataclass(frozen=True)
class Stage:
    """Epochs with the same steps: their number, seconds of each; images that the teacher computes within the steps of each,
    and images that the steps get from a store."""

    epochs: int
    seconds: float
    computed: float
    stored: float


def measure(settings: TrainingSettings, warmup: int, repeats: int) -> dict[str, Any]:
    """Seconds an epoch and images a second, mean over all epochs; images that the teacher computes in the whole training
    (of what a store keeps each pair once, at most); memory in MB of 2**20 bytes."""
    method: Any = load_method(settings.method, settings.method_file)
    method.check(settings)
    device = runtime.prepare(settings.threads)
    data = TimedData(settings, prepared.load(paths.prepared(settings.dataset)), device)
    size = method.sampler(data).size  # which loads the images, before memory is measured
    before, memory = profiling.start_memory_peak(device)
    model = runtime.place(method.wrap(build_network(settings, method.num_outputs(data.num_classes), device)), device)
    method.prepare(data)
    stages = list(timed(Training(settings, data, method, model, warmup, repeats)))
    seconds = sum(stage.epochs * stage.seconds for stage in stages) / total_epochs(method, settings.recipe)
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
        "teacher": "live" if is_live(method) else method.needs_teacher,
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
    starts = sorted({0, method.first_stage_epochs})
    optimizer = Optimizer(training.model, recipe)
    for first, after in zip(starts, [*starts[1:], total_epochs(method, recipe)], strict=True):
        optimizer.restart()
        indices = training.method.sampler(training.data)(after - 1)
        run_steps(training, optimizer, after - 1, part(indices, 0, training.warmup * recipe.batch_size))
        start = training.warmup * recipe.batch_size % len(indices.image)
        chosen = part(indices, start, start + training.repeats * recipe.batch_size)
        seconds, computed, stored = run_steps(training, optimizer, after - 1, chosen)
        scale = len(indices.image) / len(chosen.image)
        yield Stage(after - first, seconds * scale, computed * scale, stored * scale)


def part(indices: EpochIndices, start: int, stop: int) -> EpochIndices:
    """Some of an epoch's images; those that are left where there are fewer."""
    return replace(indices, image=indices.image[start:stop], augmentation=indices.augmentation[start:stop])


def run_steps(training: Training, optimizer: Optimizer, epoch: int, indices: EpochIndices) -> tuple[float, int, int]:
    """Seconds of a pass over `indices`; images that the teacher computes within it, and images that a store has."""
    settings, method, device = training.settings, training.method, training.data.device
    if not len(indices.image):
        return 0.0, 0, 0
    method.begin_epoch(epoch, indices)
    fill_store(method, indices)
    computed, answered = counts(method)
    seconds = fetch_ahead(method, settings.recipe.batch_size, device)
    profiling.synchronise(device)
    start = time.perf_counter()
    train_epoch(
        training.model, method.train_split(training.data), indices, method, optimizer, settings.recipe.batch_size,
        settings.precision, QUIET,
    )  # fmt: skip
    profiling.synchronise(device)
    seconds += time.perf_counter() - start
    computed_after, answered_after = counts(method)
    return seconds, computed_after - computed, answered_after - answered - (computed_after - computed)


def fill_store(method: Any, indices: EpochIndices) -> None:
    """Compute what a store of features would have of these images."""
    if isinstance(teacher := getattr(method, "teacher", None), StoredFeatures):
        held = indices.image < teacher.cached.store.images
        teacher.cached.outputs(indices.image[held], indices.augmentation[held])


def fetch_ahead(method: Any, batch_size: int, device: torch.device) -> float:
    """Seconds in which the teacher computes what the store lacks of the first images, for all of them in most cases.

    The images of a few steps leave a larger share of its last full batch unused than those of an epoch: it counts by its images.
    """
    if not isinstance(teacher := getattr(method, "teacher", None), StoredFeatures):
        return 0.0
    before, _ = counts(method)
    start = time.perf_counter()
    teacher.fetch(0, batch_size)
    profiling.synchronise(device)
    seconds, size = time.perf_counter() - start, teacher.cached.network.batch_size
    computed = counts(method)[0] - before
    return seconds * computed / (math.ceil(computed / size) * size) if computed else seconds


def counts(method: Any) -> tuple[int, int]:
    """Images that the teacher has computed, and images whose outputs it has given."""
    facts = method.facts()
    computed = int(facts.get("teacher_images_forwarded", 0))
    return computed, int(facts.get("teacher_images_answered", computed))


def is_live(method: Any) -> bool:
    return isinstance(getattr(method, "teacher", None), LiveFeatures)


def teacher_images(settings: TrainingSettings, data: TimedData, method: Any, stages: list[Stage], size: int) -> int:
    """In the whole training: what its steps have computed, and of what a store keeps every pair of image and augmentation that
    comes up, at most once."""
    count = data.train.augmentation.count
    if method.needs_teacher == "logits":
        return min(size * settings.recipe.epochs, data.num_train * count)
    computed, stored = (sum(stage.epochs * getattr(stage, name) for stage in stages) for name in ("computed", "stored"))
    held = method.teacher.cached.store.images if isinstance(getattr(method, "teacher", None), StoredFeatures) else 0
    images: int = round(computed + min(stored, min(held, data.num_train) * count))
    return images
