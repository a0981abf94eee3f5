"""What a method may use in training: resolved settings, the images of every split, the teacher and its caches."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cellar import models, paths
from cellar.config.resolved import TeacherSettings, TrainingSettings
from cellar.data.inputs.augmentation import Split, open_split
from cellar.data.inputs.prepared import ImageSet
from cellar.engine import run_record, runtime
from cellar.engine.output_store import OutputStore
from cellar.engine.teacher import CachedTeacher, Content, FixedBatchTeacher
from cellar.errors import CellarError

# By which a store's entries are computed, beside the teacher's network.
CODE = ("src/cellar/data/inputs", "src/cellar/engine/runtime.py", "src/cellar/engine/teacher.py")


@dataclass(frozen=True)
class TrainData:
    """What a method may use in training: resolved settings, the prepared images on their device, the teacher.

    The training split has the first rows of the prepared arrays, so that a row is the same image in every recipe.
    """

    settings: TrainingSettings
    image_set: ImageSet
    device: torch.device

    @property
    def num_classes(self) -> int:
        return len(self.image_set.classes)

    @property
    def num_train_val(self) -> int:
        """Images that some recipe trains on: all but the test images."""
        return int((self.image_set.split != "test").sum())

    @property
    def num_train(self) -> int:
        """Images that this recipe trains on."""
        everything = self.settings.recipe.train_on == "train_and_validation"
        return self.num_train_val if everything else int((self.image_set.split == "train").sum())

    @cached_property
    def train(self) -> Split:
        return open_split(self.image_set, slice(0, self.num_train), self.settings.input, self.device)

    @cached_property
    def validation(self) -> Split | None:
        """The images held out to choose on; None if there are none."""
        rows = slice(self.num_train, self.num_train_val)
        return open_split(self.image_set, rows, self.settings.input, self.device) if rows.start < rows.stop else None

    def watched(self) -> dict[str, Split]:
        """Splits that the recipe also evaluates after each epoch; nothing is trained or chosen on the test images."""
        test = slice(self.num_train_val, len(self.image_set))
        return {
            name: self.train if name == "train" else open_split(self.image_set, test, self.settings.input, self.device)
            for name in self.settings.recipe.watch
        }

    @cached_property
    def class_weights(self) -> Tensor | None:
        """(C,), or None if the recipe weights all classes alike."""
        if self.settings.recipe.class_weighting != "balanced":
            return None
        from cellar.data.inputs.classes import balanced_class_weights

        return balanced_class_weights(self.train.labels, self.num_classes)

    @cached_property
    def teacher(self) -> CachedTeacher:
        """The teacher with a store of its logits."""
        return self.cached_teacher(Content.of("logits", self.num_classes))

    def cached_teacher(self, content: Content) -> CachedTeacher:
        """The teacher on the training images, which it sees at its own size and in its own normalisation."""
        settings, teacher, cache = self.settings, self.settings.teacher, self.settings.teacher_cache
        if teacher is None or cache is None:
            raise CellarError(
                f"{settings.key}: the method needs a teacher and a teacher_cache; name them in params.yaml"
            )
        split = self.shown_to(teacher)
        code: list[str | Path] = [*models.forward_code(teacher.model, teacher.model_file), *CODE]
        identity: dict[str, Any] = {
            "teacher": run_record.content_hash(Path(teacher.weights)),
            "model": teacher.model,
            "code": list(run_record.file_hashes(code).values()),
            "torch": torch.__version__,
            "data": run_record.content_hash(paths.prepared(settings.dataset) / "arrays.npz"),
            **teacher.input.model_dump(mode="json"),
            "batch_size": cache.batch_size,
            "precision": settings.precision,
            **runtime.device_facts(self.device, settings.threads),
        }
        count = split.augmentation.count
        room = cache.storage, cache.budget_mb
        store = OutputStore(identity, self.num_train_val, count, content.width, *room, content.name)
        return CachedTeacher(self.run_on(split, teacher, cache.batch_size), store, content)

    @cached_property
    def live_teacher(self) -> FixedBatchTeacher:
        """The teacher on the same images, to run beside the student, at the student's batch size."""
        teacher = self.settings.teacher
        assert teacher, "check has refused settings without one"
        return self.run_on(self.shown_to(teacher), teacher, self.settings.recipe.batch_size)

    def run_on(self, split: Split, teacher: TeacherSettings, batch_size: int) -> FixedBatchTeacher:
        build = partial(self.network_of, teacher, batch_size)
        return FixedBatchTeacher(build, split.images, split.augmentation, batch_size, self.settings.precision)

    def shown_to(self, teacher: TeacherSettings) -> Split:
        """The training images as a teacher sees them: at its own size and in its own normalisation."""
        if teacher.input == self.settings.input:
            return self.train
        return open_split(self.image_set, slice(0, self.num_train), teacher.input, self.device)

    def network_of(self, teacher: TeacherSettings, batch_size: int) -> nn.Module:
        """A teacher's network with its weights, on this device, made for batches of this size."""
        network = models.build(teacher.model, self.num_classes, teacher.model_file)
        models.load_weights(network, Path(teacher.weights))
        side = teacher.input.input_size
        return runtime.place(network, self.device, (batch_size, 3, side, side), self.settings.precision)
