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
from cellar.report.grid import Grid, Shown, grid
from cellar.report.pictures import Picture, pictures_of
from cellar.tables import reference
from cellar.tables.cells import from_json

NAMES = {  # in the order of the page
    reference.MINI_RESEMOTENET: "Mini-ResEmoteNet",
    reference.CIFAR100_KD: "Distillation on CIFAR-100",
    reference.SMALL_DATASET_KD: "Small dataset",
    reference.CUSTOM: "Other data sets",
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
    tables = {path: from_json(data) for path, data in read.items() if has_cells(data)}
    grids = [(table.study, grid(table, chains)) for table in tables.values()]
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


def markdown(path: Path) -> Path | None:
    page = path.with_suffix(".md")
    return page if page.exists() else None


def study(name: str, grids: list[Grid]) -> Study:
    cells = [cell for one in grids for cell in one.cells]
    return Study(name, NAMES.get(name, name), about(name), grids, pictures_of(name), outcomes(cells))


def about(name: str) -> str:
    return "" if name not in NAMES or name == reference.CUSTOM else str(reference.study(name).get("title", ""))


def outcomes(cells: list[Shown]) -> dict[str, int]:
    """Of the cells that the paper prints: how they came out."""
    printed = [one for one in cells if one.cell.paper is not None]
    counted = Counter("not_run" if one.cell.kind == "not_run" else one.verdict for one in printed)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def tally(results: Results) -> dict[str, int]:
    return {outcome: sum(one.tally[outcome] for one in results.studies) for outcome in OUTCOMES}
