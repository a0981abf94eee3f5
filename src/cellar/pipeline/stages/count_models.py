"""`cellar count_models`: parameters and bytes of every architecture that the studies count."""

from cellar import files, paths, studies
from cellar.engine import profiling


def run() -> None:
    files.write_json(paths.MODEL_COUNTS, profiling.count_all(studies.networks()))
