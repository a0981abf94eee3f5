"""`train_teacher`: a teacher, trained on labels."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.resolved import TrainingSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for params, name, line, seed in runs.teachers(config):
        if line.weights is None:
            settings = runs.training(params, "teachers", name, line, seed)
            processes = params.recipes[line.recipe].processes
            reads, own = runs.read_by_training(settings), code.of_run(settings, params.study)
            yield Job(f"{name}/seed-{seed}", f"{name}/seed-{seed}", settings, reads, own, processes=processes)


def run(settings: TrainingSettings) -> Facts:
    from cellar.engine import setup

    return setup.run(settings, code.of_training(settings))


KIND = StageKind(
    "train_teacher",
    jobs,
    TrainingSettings,
    run,
    code.TRAINING,
    *runs.trained("teachers"),
    torch=True,
)
