"""`cellar distill_student EXPERIMENT --seed S`: a student that learns from labels and from a teacher's logits.

The teacher is asked once per (image, view); its answers are shared by every experiment, seed and epoch.
"""

from pathlib import Path
from typing import Any

from torch import nn

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Experiment, Params
from cellar.engine import devices, run_record
from cellar.engine.fit import Classroom, fit
from cellar.engine.logit_store import LogitStore
from cellar.engine.teacher_logits import Asker, TeacherCache
from cellar.methods.objectives.logits import LogitDistillation
from cellar.models.checkpoint_files import weights


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment_by(experiment, "logits")
    assert line.teacher is not None
    teacher_file = paths.trained("teachers", line.teacher, params.teacher_seed(line.teacher)) / "weights.safetensors"

    def make_objective(room: Classroom) -> LogitDistillation:
        teacher = open_teacher(line, params, room, teacher_file)
        return LogitDistillation(line, teacher, room.class_weights)

    fit(paths.trained("students", experiment, seed), line, params, seed, make_objective, [teacher_file])


def open_teacher(line: Experiment, params: Params, room: Classroom, teacher_file: Path) -> TeacherCache:
    """The teacher of a line, with what it has already said of the training images."""
    assert line.teacher is not None
    teacher_line, cache, wanted = params.teacher(line.teacher), params.teacher_cache, params.input_of(line)
    shown = params.input_of(teacher_line)
    split = room.train if shown == wanted else room.train_as(shown)

    def build_teacher() -> nn.Module:
        teacher = models.build(teacher_line.model, room.num_classes)
        weights.load_weights(teacher, teacher_file)
        return devices.place(teacher, room.device)

    identity: dict[str, Any] = {
        "teacher": run_record.content_hash(teacher_file),
        "model": teacher_line.model,
        "data": run_record.content_hash(paths.prepared(line.dataset) / "arrays.npz"),
        **shown,
        "batch_size": cache.batch_size,
        "precision": params.precision,
        "threads": params.threads,
        "device": devices.name(room.device),
    }
    views = split.views
    store = LogitStore(identity, room.askable, views.count, room.num_classes, cache.storage, cache.budget_mb)
    return TeacherCache(Asker(build_teacher, split.images, views, cache.batch_size, params.precision), store)
