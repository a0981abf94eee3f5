"""`cellar count_models`: parameters and bytes of every architecture that the tables name, counted."""

from cellar import files, paths
from cellar.engine import profiling


def run() -> None:
    files.write_json(paths.MODEL_COUNTS, profiling.count_all())
