"""Tables and figures, study by study, and the number of cells with each outcome."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cellar import files, paths, studies
from cellar.config import Config
from cellar.errors import CellarError
from cellar.report import prose
from cellar.report.chains import Chains
from cellar.report.comparison import Side, side_by_side
from cellar.report.grid import COLLECTED, Grid, Shown, grid
from cellar.report.pictures import Picture, pictures_of
from cellar.studies import ALL_STUDIES, AUDIT, CUSTOM
from cellar.tables.cells import Table, from_json

OTHERS = {  # what is no paper's, after the papers
    CUSTOM: "Other data sets",
    ALL_STUDIES: "Verdicts and contradictions",
    AUDIT: "Audit of the data",
}
OUTCOMES = ("reproduced", "differs", "inconsistent", "incomparable", "not_run")


@dataclass(frozen=True)
class Study:
    """`about` is the paper's own title; `others` are pages of results/tables that are no tables of cells."""

    id: str
    name: str
    about: str
    side: Side | None
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


def shown(config: Config, chains: Chains) -> Results:
    """Everything under results/tables and results/figures. Raises CellarError when no table is built."""
    built = paths.built(paths.TABLES, ".json")
    if not built:
        raise CellarError(f"no table is built in {paths.TABLES}; build them with: snakemake --cores 4")
    read = {path: files.read_json(path) for path in built.values()}
    tables = {path: table(path, data) for path, data in read.items() if has_cells(data)}
    listed = [
        study(config, name, [each for each in tables.values() if each.study == name], chains)
        for name in order(each.study for each in tables.values())
    ]
    others = [Prose(path.stem, *prose.read(page)) for path in read if path not in tables and (page := markdown(path))]
    return Results([each for each in listed if each.grids or each.pictures], others)


def order(present: Any) -> list[str]:
    """The papers in their order, what is no paper's, then any other."""
    return list(dict.fromkeys([*studies.known(), *OTHERS, *present]))


def has_cells(data: Any) -> bool:
    """Whether it is a table of cells; results/tables also holds lists."""
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


def study(config: Config, key: str, tables: list[Table], chains: Chains) -> Study:
    grids = [grid(each, chains) for each in tables]
    cells = [cell for each in grids for cell in each.cells]
    tally = outcomes([] if key in COLLECTED else cells)  # a list over all studies has them once more
    paper = studies.known().get(key)
    name, about = (paper.name, paper.title) if paper else (OTHERS.get(key, key), "")
    side = side_by_side(config, key, tables, grids)
    return Study(key, name, about, side, grids, pictures_of(config, key), tally)


def outcomes(cells: list[Shown]) -> dict[str, int]:
    """How many of the cells beside a printed value have each outcome."""
    printed = [shown for shown in cells if shown.cell.paper is not None]
    counted = Counter("not_run" if shown.cell.kind == "not_run" else shown.verdict for shown in printed)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def tally(results: Results) -> dict[str, int]:
    return {outcome: sum(study.tally[outcome] for study in results.studies) for outcome in OUTCOMES}
