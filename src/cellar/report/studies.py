"""Tables and figures, study by study; and how many cells came out how."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cellar import files, paths
from cellar.errors import CellarError
from cellar.report import prose
from cellar.report.chains import Chains
from cellar.report.grid import PAPERS, Grid, Shown, grid
from cellar.report.pictures import Picture, pictures_of
from cellar.tables import reference
from cellar.tables.cells import Table, from_json

NAMES = {  # in the order of the page
    reference.MINI_RESEMOTENET: "Mini-ResEmoteNet",
    reference.CIFAR100_KD: "Distillation on CIFAR-100",
    reference.SMALL_DATASET_KD: "Small dataset",
    reference.CUSTOM: "Other data sets",
    "all_studies": "Verdicts and contradictions",
    "audit": "Audit of the data",
}
OUTCOMES = ("reproduced", "differs", "inconsistent", "incomparable", "not_run")


@dataclass(frozen=True)
class Study:
    """`about` is the paper's own title; `others` are pages of results/tables that are no tables of cells."""

    id: str
    name: str
    about: str
    grids: list[Grid]
    pictures: list[Picture]
    tally: dict[str, int]


@dataclass(frozen=True)
class Prose:
    id: str
    title: str
    body: Markup


@dataclass(frozen=True)
class Results:
    studies: list[Study]
    others: list[Prose]


def shown(chains: Chains) -> Results:
    """Everything under results/tables and results/figures. Raises CellarError when no table is built."""
    found = sorted(paths.TABLES.glob("*.json"))
    if not found:
        raise CellarError(f"no table is built in {paths.TABLES}; build them with: snakemake --cores 4")
    read = {path: files.read_json(path) for path in found}
    tables = {path: table(path, data) for path, data in read.items() if has_cells(data)}
    grids = [(one.study, grid(one, chains)) for one in tables.values()]
    studies = [study(name, [one for of, one in grids if of == name]) for name in order(of for of, _ in grids)]
    others = [Prose(path.stem, *prose.read(page)) for path in found if path not in tables and (page := markdown(path))]
    return Results([one for one in studies if one.grids or one.pictures], others)


def order(present: Any) -> list[str]:
    """The studies as NAMES has them, then any other."""
    return list(dict.fromkeys([*NAMES, *present]))


def has_cells(data: Any) -> bool:
    """Whether it is a table of ours; results/tables also keeps lists."""
    rows = data.get("rows") if isinstance(data, dict) else None
    return isinstance(rows, list) and all(isinstance(row, dict) and "cells" in row for row in rows)


def table(path: Path, data: Any) -> Table:
    try:
        return from_json(data)
    except CellarError:
        raise CellarError(f"{path} is no table; remove it and build it again: snakemake --cores 4 {path}") from None


def markdown(path: Path) -> Path | None:
    page = path.with_suffix(".md")
    return page if page.exists() else None


def study(name: str, grids: list[Grid]) -> Study:
    cells = [cell for one in grids for cell in one.cells]
    tally = outcomes(cells if name in PAPERS else [])  # a list over all studies has them once more
    return Study(name, NAMES.get(name, name), about(name), grids, pictures_of(name), tally)


def about(name: str) -> str:
    return str(reference.study(name).get("title", "")) if name in reference.STUDIES.values() else ""


def outcomes(cells: list[Shown]) -> dict[str, int]:
    """Of the cells beside which a printed figure stands: how they came out."""
    printed = [one for one in cells if one.cell.paper is not None]
    counted = Counter("not_run" if one.cell.kind == "not_run" else one.verdict for one in printed)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def tally(results: Results) -> dict[str, int]:
    return {outcome: sum(one.tally[outcome] for one in results.studies) for outcome in OUTCOMES}
