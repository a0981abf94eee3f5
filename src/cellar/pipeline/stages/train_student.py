"""`train_student`: a student without a teacher: labels, triplets, few-shot tasks."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.resolved import TrainingSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    yield from runs.students(config, lambda line: line.teacher is None)


def run(settings: TrainingSettings) -> Facts:
    from cellar.engine import setup

    return setup.run(settings, code.of_training(settings))


KIND = StageKind(
    "train_student",
    jobs,
    TrainingSettings,
    run,
    code.TRAINING,
    *runs.trained("students"),
    torch=True,
)
