"""`cellar draw_identities DATASET`: draw the embedded default of Pins, a folder of images a person."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample_identities
from cellar.errors import CellarError


def run(dataset: str) -> None:
    section = parameters.load().dataset(dataset)
    draw = section.source.draw
    if draw is None:
        raise CellarError(
            f"datasets.{dataset} is not a drawn set (its source is not draw); get it with: cellar download {dataset}"
        )
    if section.layout != "identity_folder":
        raise CellarError(f"datasets.{dataset} has layout {section.layout}; draw it with: cellar draw_faces {dataset}")
    sample_identities.write_pins(Path(section.path), draw.seed, draw.identities, draw.per_identity)
