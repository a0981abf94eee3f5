"""`tabulate`: one table, as Markdown for people and JSON for programs."""

from collections.abc import Iterator
from typing import Any

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind

CODE = (
    "src/cellar/files.py", "src/cellar/tables", "src/cellar/metrics", "src/cellar/studies.py", "src/cellar/data/audit/pairs.py",
    "src/cellar/data/class_names.py", "src/cellar/methods/registry.py", "src/cellar/models/__init__.py",
)  # fmt: skip


class Settings(Section):
    """`shown`: the values of params.yaml that the table prints. A sweep's table comes with its heat map."""

    table: str
    shown: dict[str, Any]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import tables

    for entry in tables.catalogue(config).values():
        settings = Settings(table=entry.id, shown=entry.shown())
        heat_map = [str(paths.FIGURES / f"{entry.id}.png")] if entry.sweep else []
        reads = (*entry.inputs(), *heat_map)
        yield Job(entry.id, entry.id, settings, reads, entry.code, entry.study, entry.sweep)


def run(settings: Settings) -> Facts:
    from cellar import config, tables
    from cellar.tables import render

    render.write(tables.build(settings.table, config.load()), paths.TABLES)
    return {}


KIND = StageKind(
    "tabulate",
    jobs,
    Settings,
    run,
    CODE,
    tracked=("results/tables/{item}.md", "results/tables/{item}.json"),
    results=True,
)
