"""`time_export`: images a second of an exported student's files, on one core; it runs alone."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.deployment.export.settings import TimingOfExport
from cellar.pipeline import code, exports
from cellar.pipeline.stage import Facts, Job, StageKind


def jobs(config: Config) -> Iterator[Job]:
    for one in exports.exports(config):
        settings = TimingOfExport(item=one.item, warmup=config.costs.warmup, repeats=config.costs.repeats)
        yield Job(one.name, one.item, settings, one.files, study=one.params.study)


def run(settings: TimingOfExport) -> Facts:
    from cellar.deployment.export import timing

    return timing.run(settings)


KIND = StageKind(
    "time_export",
    jobs,
    TimingOfExport,
    run,
    (*code.FILES, *code.EXPORT),
    metrics=("results/metrics/export_speed/{item}.json",),
    alone=True,
)
