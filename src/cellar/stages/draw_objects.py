"""`cellar draw_objects DATASET`: draw the embedded default of CIFAR-100, in the layout of its pickles."""

from pathlib import Path

from cellar import params as parameters
from cellar.datasets import sample_objects
from cellar.errors import CellarError


def run(dataset: str) -> None:
    section, draw = parameters.load().drawn(dataset, "draw_objects")
    if draw.validation:
        raise CellarError(
            f"datasets.{dataset}.source.draw.validation: this layout has none; set it to 0 and use validation_fraction"
        )
    sample_objects.write_cifar100(Path(section.path), draw.seed, draw.train, draw.test)
