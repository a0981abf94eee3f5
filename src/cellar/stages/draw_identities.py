"""`cellar draw_identities DATASET`: draw the embedded default of Pins, a folder of images a person."""

from pathlib import Path

from cellar.datasets import sample_identities
from cellar.stages.draw import recorded


def run(dataset: str) -> None:
    with recorded(dataset, "draw_identities") as (section, draw):
        sample_identities.write_pins(Path(section.path), draw.seed, draw.identities, draw.per_identity)
