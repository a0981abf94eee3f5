"""`audit`: duplicates within and across splits, label conflicts, blank images."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline import code
from cellar.pipeline.runs import data_files
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(Section):
    dataset: str


def jobs(config: Config) -> Iterator[Job]:
    for name, section in config.datasets.items():
        if section.enabled:
            yield Job(name, name, Settings(dataset=name), reads=data_files(name))


def run(settings: Settings) -> Facts:
    from cellar import files, paths
    from cellar.data.audit import report
    from cellar.data.inputs import prepared

    folder = paths.prepared(settings.dataset)
    layout = files.read_json(folder / "manifest.json").get("layout", "")
    pairs, summary = report.audit(prepared.load(folder), layout)
    files.write_text(paths.audit_pairs(settings.dataset), pairs.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.audit_metrics(settings.dataset), {"dataset": settings.dataset, **summary})
    return {}


KIND = StageKind(
    "audit",
    jobs,
    Settings,
    run,
    (*code.FILES, *code.PREPARED, "src/cellar/data/audit"),
    outs=("results/audit/{item}/pairs.csv",),
    tracked=("results/metrics/audit/{item}.json",),
)
