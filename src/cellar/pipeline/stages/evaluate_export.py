"""`evaluate_export`: what an exported student's files give for the test images, compared with PyTorch; the model
card."""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.deployment.export.settings import EvaluationOfExport
from cellar.pipeline import code, exports, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for one in exports.exports(config):
        settings = EvaluationOfExport(
            item=one.item,
            student=one.student,
            recipe=None if one.given else one.params.recipes[one.line.recipe],
            given=one.given,
            teacher=one.teacher,
            start=one.start,
            frozen=one.line.freeze,
            synthetic=config.datasets[one.line.dataset].is_synthetic,
        )
        predictions = paths.predictions(one.student.kind, one.student.key, one.student.seed) / "predictions.npz"
        data = (*runs.data_files(one.line.dataset), str(paths.audit_pairs(one.line.dataset)))
        yield Job(one.name, one.item, settings, (*one.files, str(predictions), *data), study=one.params.study)


def run(settings: EvaluationOfExport) -> Facts:
    from cellar.deployment.export import evaluation

    return evaluation.run(settings)


KIND = StageKind(
    "evaluate_export",
    jobs,
    EvaluationOfExport,
    run,
    (
        *code.FILES,
        *code.PREPARED,
        *code.METRICS,
        *code.EXPORT,
        "src/cellar/data/audit/pairs.py",
        "src/cellar/data/class_names.py",
    ),
    outs=("results/predictions/exports/{item}/predictions.npz",),
    metrics=("results/metrics/exports/{item}.json",),
    tracked=("results/exports/{item}/model_card.md",),
    results=True,
)
