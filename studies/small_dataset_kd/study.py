"""Distillation for a small data set of faces: one-shot, scratch, transfer, and KD with labels and with features."""

from functools import partial

from cellar.config import Params
from cellar.studies import Study, TableSpec

from .checks import CHECKS
from .figures import FIGURES
from .printed import DATASET, KEY, NETWORKS, images
from .tables import build
from .tables.lines import TABLES
from .trainings import printed_training


def is_listed(params: Params) -> bool:
    """All six tables are known wherever params.yaml lists the data set, on or off."""
    return DATASET in params.datasets


def spec(table: str) -> TableSpec:
    return TableSpec(
        f"pins_{table}",
        partial(build.build, table=table),
        partial(build.inputs, table=table),
        partial(build.shown_params, table=table),
        partial(build.judged, table=table),
        is_known=is_listed,
        code=("printed.py", "trainings.py", "checks.py", "tables"),
    )


STUDY = Study(
    key=KEY,
    title="Learning Relevant Information through Knowledge Distillation for Small Dataset",
    name="Small dataset",
    tables=tuple(spec(table) for table in TABLES),
    figures=FIGURES,
    checks=CHECKS,
    networks=dict.fromkeys(NETWORKS.values(), 105),
    printed_networks=NETWORKS,
    datasets=(DATASET,),
    images="faces",
    printed_images=images,
    trainings=printed_training,
    curves=False,  # its methods have no loss in common
    short_ids=True,
    order=2,
)
