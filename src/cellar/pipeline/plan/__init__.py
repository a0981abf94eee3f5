"""params.yaml -> the stages that it asks for. dvc.yaml is written from here, and Snakemake's rules read here.

DVC's `foreach` can neither filter a list nor give one stage more inputs than the next, and a table must depend
on the metrics of its own cells, one by one. So the stages are worked out once, here, for both tools.
"""

from pathlib import Path

from cellar import figures
from cellar.config import Params
from cellar.pipeline.plan.data import data
from cellar.pipeline.plan.faces import comparisons, features, generators, parts
from cellar.pipeline.plan.family import LIST_CODE, Family, Stage
from cellar.pipeline.plan.shown import models, plot, report, tabulate
from cellar.pipeline.plan.trained import students, teachers

__all__ = ["LIST_CODE", "MAIN", "SWEEPS", "Family", "Stage", "families", "sweep_families"]

MAIN, SWEEPS = Path("dvc.yaml"), Path("sweeps/dvc.yaml")


def families(params: Params) -> list[Family]:
    """The main pipeline, in the order in which a person would tell it."""
    found = stages(params)
    return [code(params, found), *found]


def stages(params: Params) -> list[Family]:
    found = [
        *data(params),
        *teachers(params),
        *students(params, params.experiments),
        *generators(params),
        *features(params),
        *parts(params),
        *comparisons(params),
        *models(params),
        *report(params),
    ]
    return [family for family in found if family.items or not family.takes_items]


def code(params: Params, families: list[Family]) -> Family:
    """The stage that lists the code of all others, the sweeps' among them."""
    lists = dict.fromkeys(family.code for family in [*families, *sweep_families(params)])
    return Family(LIST_CODE, inputs=["src/cellar"], kept=[*lists], takes_items=False)


def sweep_families(params: Params) -> list[Family]:
    """The sweeps' pipeline: grid points, a table and a heat map each. Teachers and data are the main pipeline's."""
    on = {name: sweep for name, sweep in params.sweeps.items() if params.is_on(sweep)}
    points = {key: line for name, sweep in on.items() for key, line in sweep.experiments(name).items()}
    owners = {key: f"sweeps.{name}" for name, sweep in on.items() for key in sweep.experiments(name)}
    shown = [*(tabulate(params, name) for name in on), *(plot(params, name) for name in figures.of_sweeps(params))]
    found = [*students(params, points, owners), *shown]
    return [family for family in found if family.items or not family.takes_items]
