"""`cellar draw_objects DATASET`: draw the embedded default of CIFAR-100, in the layout of its pickles."""

from pathlib import Path

from cellar.data.synthetic import objects
from cellar.errors import CellarError
from cellar.pipeline.stages.draw import recorded


def run(dataset: str) -> None:
    with recorded(dataset, "draw_objects") as (section, draw):
        if draw.validation:
            raise CellarError(
                f"datasets.{dataset}.source.draw.validation: this layout has none; set it to 0, use validation_fraction"
            )
        objects.write_cifar100(Path(section.path), draw.seed, draw.train, draw.test)
