"""`cellar draw_faces DATASET`: draw the embedded default of a data set, in its public layout."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample
from cellar.errors import CellarError


def run(dataset: str) -> None:
    section = parameters.load().dataset(dataset)
    draw = section.source.draw
    if draw is None:
        raise CellarError(
            f"datasets.{dataset} is not a drawn set (its source is not draw); get it with: cellar download {dataset}"
        )
    if section.layout == "cifar100":
        raise CellarError(f"datasets.{dataset} has layout cifar100; draw it with: cellar draw_objects {dataset}")
    if section.layout == "fer2013":
        sample.write_fer2013(Path(section.path), draw.seed, draw.train, draw.validation, draw.test)
    else:
        sample.write_raf_db(Path(section.path), draw.seed, draw.train, draw.test)
