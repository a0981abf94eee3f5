"""What the stages that draw a data set share: its section is read, and the run is recorded beside the folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellar import config as parameters
from cellar import paths
from cellar.config.data import Dataset, Draw
from cellar.engine import run_record


@contextmanager
def recorded(dataset: str, stage: str) -> Iterator[tuple[Dataset, Draw]]:
    """Raises CellarError when `stage` is not the one that draws `dataset`."""
    section, draw = parameters.load().drawn(dataset, stage)
    folder = Path(section.path)
    asked = {"layout": section.layout, "source": {"draw": draw.model_dump(exclude_none=True)}}
    with run_record.record(paths.record_beside(folder), [], [folder], asked, seed=draw.seed):
        yield section, draw
