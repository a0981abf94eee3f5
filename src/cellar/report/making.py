"""How the run was made, as commands for a shell; from a fresh clone of the commit that is checked out."""

import shlex
from pathlib import Path

from cellar.config import PARAMS_FILE, Config
from cellar.config.composed import read_header
from cellar.engine.run_record import git

SHIPPED = "sample"  # what params.yaml as shipped is composed from


def commands(config: Config, origin: str) -> list[tuple[str, list[str]]]:
    """(what for, commands); `origin` is what git can clone."""
    names = composed_from()
    scale = [] if {Path(name).name for name in names} <= {SHIPPED} else [shlex.join(["cellar", "use", *names])]
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


def composed_from() -> list[str]:
    """The files that params.yaml was composed from; none if it was written by hand."""
    header = read_header(PARAMS_FILE.read_text(encoding="utf-8"))
    return header.names if header else []
