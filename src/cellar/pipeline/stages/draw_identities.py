"""`cellar draw_identities DATASET`: draw the embedded default of Pins, a folder of images a person."""

from pathlib import Path

from cellar.data.synthetic import identities
from cellar.pipeline.stages.draw import recorded


def run(dataset: str) -> None:
    with recorded(dataset, "draw_identities") as (section, draw):
        identities.write_pins(Path(section.path), draw.seed, draw.identities, draw.per_identity)
