"""`cellar draw_faces DATASET`: draw the embedded default of a data set, in its public layout."""

from pathlib import Path

from cellar.data.synthetic import sample
from cellar.pipeline.stages.draw import recorded


def run(dataset: str) -> None:
    with recorded(dataset, "draw_faces") as (section, draw):
        if section.layout == "fer2013":
            sample.write_fer2013(Path(section.path), draw.seed, draw.train, draw.validation, draw.test)
        else:
            sample.write_raf_db(Path(section.path), draw.seed, draw.train, draw.test)
