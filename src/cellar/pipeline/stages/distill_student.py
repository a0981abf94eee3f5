"""`distill_student`: a student that learns from a teacher: its logits or its features."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.resolved import TrainingSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    yield from runs.students(config, lambda line: line.teacher is not None)


def run(settings: TrainingSettings) -> Facts:
    from cellar.engine import setup

    return setup.run(settings, code.of_training(settings))


KIND = StageKind(
    "distill_student",
    jobs,
    TrainingSettings,
    run,
    code.TRAINING,
    *runs.trained("students"),
    torch=True,
)
