"""`cellar distill_student EXPERIMENT --seed S`: a student that learns from labels and from a teacher's logits.

The teacher is asked once per (image, view); its answers are shared by every experiment, seed and epoch.
"""

from pathlib import Path
from typing import Any

from torch import Tensor

from cellar import devices, models, paths, provenance, teacher_cache, views
from cellar import params as parameters
from cellar.errors import CellarError
from cellar.losses.logit_kd import distillation_loss
from cellar.models import weights
from cellar.params import Experiment, Params
from cellar.progress import Progress
from cellar.stages.fit import Classroom, fit
from cellar.training import Batch, Objective


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment(experiment)
    if line.teacher is None:
        raise CellarError(
            f"experiments.{experiment} names no teacher; train it with: cellar train_student {experiment}"
        )
    teacher_file = paths.trained("teachers", line.teacher, params.teacher_seed(line.teacher)) / "weights.safetensors"

    def make_objective(room: Classroom) -> Objective:
        soft_targets = teacher_logits(line, params, room, teacher_file)  # (N, views, C)

        def objective(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
            return distillation_loss(
                logits,
                soft_targets[batch.index, batch.view],
                batch.labels,
                temperature=line.temperature,
                task_weight=line.task_weight,
                distill_weight=line.distill_weight,
                class_weights=room.class_weights,
                loss_form=line.loss_form,
            )

        return objective

    fit(paths.trained("students", experiment, seed), line, params, seed, make_objective, [teacher_file])


def teacher_logits(line: Experiment, params: Params, room: Classroom, teacher_file: Path) -> Tensor:
    """The teacher's logits (N, views, C) on the training split, from the cache or computed into it."""
    assert line.teacher is not None
    teacher_model = params.teacher(line.teacher).model
    batch_size, images = params.teacher_cache.batch_size, room.train.images
    identity: dict[str, Any] = {
        "teacher": provenance.content_hash(teacher_file),
        "model": teacher_model,
        "data": provenance.content_hash(paths.prepared(line.dataset) / "arrays.npz"),
        "input_size": images.shape[-1],
        "batch_size": batch_size,
        "precision": params.precision,
        "threads": params.threads,
        "device": room.device.type,
    }

    def compute() -> Tensor:
        teacher = models.build(teacher_model, room.num_classes)
        weights.load_weights(teacher, teacher_file)
        teacher = devices.place(teacher, room.device)
        progress = Progress(f"teacher {line.teacher} speaks", len(images) * views.FLIP_VIEWS)
        return teacher_cache.fill(teacher, images, views.FLIP_VIEWS, batch_size, params.precision, progress.advance)

    return teacher_cache.load_or_fill(identity, compute, room.device)
