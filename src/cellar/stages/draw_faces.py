"""`cellar draw_faces DATASET`: draw the embedded default of a data set, in its public layout."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample


def run(dataset: str) -> None:
    section, draw = parameters.load().drawn(dataset, "draw_faces")
    if section.layout == "fer2013":
        sample.write_fer2013(Path(section.path), draw.seed, draw.train, draw.validation, draw.test)
    else:
        sample.write_raf_db(Path(section.path), draw.seed, draw.train, draw.test)
