"""`evaluate_teacher`: a teacher's predictions and metrics on the test split."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.resolved import EvaluationSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for params, name, line, seed in runs.teachers(config):
        settings = runs.evaluation(params, "teachers", name, line, seed)
        reads, own = runs.read_by_evaluation(settings), code.of_run(settings, params.study)
        yield Job(f"{name}/seed-{seed}", f"{name}/seed-{seed}", settings, reads, own, plots=runs.confusion(settings))


def run(settings: EvaluationSettings) -> Facts:
    from cellar.engine import evaluate

    return evaluate.run(settings)


KIND = StageKind(
    "evaluate_teacher",
    jobs,
    EvaluationSettings,
    run,
    code.TRAINING,
    outs=(
        "results/predictions/teachers/{item}/predictions.npz",
        "results/predictions/teachers/{item}/details.json",
    ),
    metrics=("results/metrics/teachers/{item}.json",),
    torch=True,
    results=True,
)
