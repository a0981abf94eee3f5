"""A paper that nobody wrote: a tiny network learns from another training of itself. It shows that a folder is enough."""

from cellar.studies import FigureSpec, Study, TableSpec

from . import tables
from .checks import CHECKS

STUDY = Study(
    key="toy_study",
    title="A Toy Study of Warm Hints",
    name="Toy study",
    tables=(TableSpec("table_1", tables.build, tables.inputs, tables.shown_params),),
    figures=(FigureSpec("figure_1", "Figure 1. Training loss of the student.", "figures:draw", tables.histories),),
    checks=CHECKS,
    networks={"tiny": 100},
    datasets=(tables.DATASET,),
    images="objects",
)
