"""`cellar draw_faces DATASET`: draw the embedded default of a data set, in its public layout."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample
from cellar.datasets.layouts import DRAWERS
from cellar.errors import CellarError


def run(dataset: str) -> None:
    section = parameters.load().dataset(dataset)
    draw = section.source.draw
    if draw is None:
        raise CellarError(
            f"datasets.{dataset} is not a drawn set (its source is not draw); get it with: cellar download {dataset}"
        )
    if section.layout in DRAWERS:
        command = DRAWERS[section.layout]
        raise CellarError(f"datasets.{dataset} has layout {section.layout}; draw it with: cellar {command} {dataset}")
    if section.layout == "fer2013":
        sample.write_fer2013(Path(section.path), draw.seed, draw.train, draw.validation, draw.test)
    else:
        sample.write_raf_db(Path(section.path), draw.seed, draw.train, draw.test)
