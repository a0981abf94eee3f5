"""`evaluate_student`: a student's predictions and metrics on the test split."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.resolved import EvaluationSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for params, name, line, seed, sweep in runs.experiments(config):
        settings = runs.evaluation(params, "students", f"{params.study}/{name}", line, seed)
        reads, own = runs.read_by_evaluation(settings), code.of_run(settings, params.study)
        job = f"{name}/seed-{seed}"
        yield Job(
            job, f"{params.study}/{job}", settings, reads, own, params.study, sweep, plots=runs.confusion(settings)
        )


def run(settings: EvaluationSettings) -> Facts:
    from cellar.engine import evaluate

    return evaluate.run(settings)


KIND = StageKind(
    "evaluate_student",
    jobs,
    EvaluationSettings,
    run,
    code.TRAINING,
    outs=(
        "results/predictions/students/{item}/predictions.npz",
        "results/predictions/students/{item}/details.json",
    ),
    metrics=("results/metrics/students/{item}.json",),
    torch=True,
    results=True,
)
