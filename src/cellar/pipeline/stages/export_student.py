"""`export_student`: a trained network as student.onnx (fp32) and student.int8.onnx, preprocessing and description
inside."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.deployment.export.settings import ExportSettings
from cellar.pipeline import code, exports, runs
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for one in exports.exports(config):
        settings = ExportSettings(
            item=one.item,
            student=one.student,
            licence=one.export.licence,
            grey=config.datasets[one.line.dataset].is_grey,
            synthetic=config.datasets[one.line.dataset].is_synthetic,
            calibration_images=one.export.calibration_images,
        )
        reads, own = (*runs.data_files(one.line.dataset), one.weights), code.of_run(one.student, one.params.study)
        yield Job(one.name, one.item, settings, reads, own, one.params.study)


def run(settings: ExportSettings) -> Facts:
    from cellar.deployment.export import writing

    return writing.run(settings)


KIND = StageKind(
    "export_student",
    jobs,
    ExportSettings,
    run,
    (*code.TRAINING, *code.EXPORT),
    outs=("results/exports/{item}/student.onnx", "results/exports/{item}/student.int8.onnx"),
    torch=True,
)
