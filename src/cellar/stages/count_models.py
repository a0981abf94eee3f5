"""`cellar count_models`: parameters and bytes of every architecture that the tables name, counted."""

from cellar import costs, files, paths


def run() -> None:
    files.write_json(paths.MODEL_COUNTS, costs.count_all())
