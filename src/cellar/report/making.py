"""How the run was made, as commands for a shell; from a fresh clone of the commit that is checked out."""

import shlex

from cellar.config import Params
from cellar.engine.run_record import git

SHIPPED = "sample"  # the scale of params.yaml as shipped


def commands(params: Params, origin: str) -> list[tuple[str, list[str]]]:
    """(what for, commands); `origin` is what git can clone."""
    name = params.scale.name
    scale = [] if name == SHIPPED else [f"cp params/{shlex.quote(name)}.yaml params.yaml"]
    clone = [
        f"git clone {shlex.quote(origin)} cellar",
        "cd cellar",
        f"git checkout {git('rev-parse', 'HEAD') or 'HEAD'}",
        "make setup",
        ". .venv/bin/activate",
    ]
    return [
        ("A fresh clone, its environment", clone),
        ("Every table and figure", [*scale, "snakemake --cores 4"]),
        ("Where a number comes from", ["cellar explain TABLE ROW COLUMN"]),
        ("Tables = metrics = predictions = what made them", ["cellar verify"]),
        ("This page", ["make report"]),
    ]
