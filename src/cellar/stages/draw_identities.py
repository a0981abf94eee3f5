"""`cellar draw_identities DATASET`: draw the embedded default of Pins, a folder of images a person."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample_identities


def run(dataset: str) -> None:
    section, draw = parameters.load().drawn(dataset, "draw_identities")
    sample_identities.write_pins(Path(section.path), draw.seed, draw.identities, draw.per_identity)
