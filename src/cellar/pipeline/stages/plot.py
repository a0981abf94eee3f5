"""`plot`: one figure, as PNG."""

from collections.abc import Iterator
from typing import Any

from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline.stage import Facts, Job, StageKind
from cellar.pipeline.stages import tabulate

CODE = (*tabulate.CODE, "src/cellar/figures")


class Settings(Section):
    """`shown`: the values of params.yaml that the figure prints."""

    figure: str
    shown: dict[str, Any]


def jobs(config: Config) -> Iterator[Job]:
    from cellar import figures

    for entry in figures.catalogue(config).values():
        settings = Settings(figure=entry.id, shown=entry.shown())
        yield Job(entry.id, entry.id, settings, tuple(entry.inputs()), entry.code, entry.study, entry.sweep)


def run(settings: Settings) -> Facts:
    from cellar import config
    from cellar.figures import drawing
    from cellar.pipeline import surroundings

    surroundings.provide()  # where dvc was started by hand, a notebook's backend for figures is still named
    drawing.draw(settings.figure, config.load())
    return {}


KIND = StageKind("plot", jobs, Settings, run, CODE, outs=("results/figures/{item}.png",), results=True)
