"""A table as data: columns, rows, and cells that carry the printed value, a verdict and their sources.

In JSON, keys are in the order of the fields here; a field that is None is left out, except `value` and `kind`.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from cellar.errors import CellarError
from cellar.tables.verdicts import Verdict

Kind = Literal["measured", "timed", "counted", "reported", "derived", "not_run"]
Value = float | int | str

FIELDS = (
    "value", "unit", "kind", "paper", "paper_variants", "verdict", "reason", "mean", "std", "std_population", "n",
    "interval", "method", "stage", "metrics", "printed_key",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One number. `value` is ours, or the paper's own where kind is `reported`.

    std is the sample's (ddof 1), std_population divides by n (ddof 0), both over seeds; n counts what the interval
    rests on, seeds from 3 on, else test images; interval is 95 %, in the cell's unit, by `method`; stage and metrics
    name the stages and files that the value comes from; printed_key is the dotted key of the printed value in the
    study's printed.yaml.
    """

    kind: Kind
    value: Value | None = None
    unit: str | None = None
    paper: Value | None = None
    paper_variants: list[float] | None = None
    verdict: Verdict | None = None
    reason: str | None = None
    mean: float | None = None
    std: float | None = None
    std_population: float | None = None
    n: int | None = None
    interval: list[float] | None = None
    method: str | None = None
    stage: list[str] | None = None
    metrics: list[str] | None = None
    printed_key: str | None = None

    @property
    def shows_printed(self) -> bool:
        """Whether a printed value stands in or beside the cell."""
        return self.paper is not None or (self.kind == "reported" and self.value is not None)


def keyed(cell: Cell, *place: str) -> Cell:
    """The cell with the key of its printed value, if it shows one."""
    return replace(cell, printed_key=".".join(place)) if cell.shows_printed else cell


def keyed_row(cells: dict[str, Cell], *place: str) -> dict[str, Cell]:
    """The cells of a row whose columns are called in printed.yaml as they are here."""
    return {column: keyed(cell, *place, column) for column, cell in cells.items()}


NOT_RUN = Cell("not_run", reason="its data set is off, or its line is not in params.yaml")
NOTHING = Cell("reported")  # the paper prints a dash


@dataclass(frozen=True)
class Column:
    id: str
    label: str
    unit: str | None = None


@dataclass(frozen=True)
class Row:
    id: str
    label: str
    cells: dict[str, Cell]  # by column id


@dataclass(frozen=True)
class Table:
    """`scale` is the section of params.yaml: name, synthetic, note."""

    id: str
    title: str
    study: str
    scale: dict[str, Any]
    notes: list[str]
    columns: list[Column]
    rows: list[Row]


def as_json(table: Table) -> dict[str, Any]:
    head = {key: getattr(table, key) for key in ("id", "title", "study", "scale", "notes")}
    rows = [
        {"id": row.id, "label": row.label, "cells": {key: cell_json(cell) for key, cell in row.cells.items()}}
        for row in table.rows
    ]
    return {**head, "columns": [asdict(column) for column in table.columns], "rows": rows}


def cell_json(cell: Cell) -> dict[str, Any]:
    values = {name: getattr(cell, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value is not None or name in ("value", "kind")}


def from_json(data: Any) -> Table:
    """The table that `as_json` wrote. Raises CellarError when `data` is something else."""
    try:
        columns = [Column(**column) for column in data["columns"]]
        rows = [
            Row(row["id"], row["label"], {key: Cell(**cell) for key, cell in row["cells"].items()})
            for row in data["rows"]
        ]
        head = (data["id"], data["title"], data["study"], data["scale"], data["notes"])
        return Table(*head, columns, rows)
    except (KeyError, TypeError, AttributeError) as error:
        raise CellarError(f"this is not a table of cells ({error}); remove the file and build it again") from None
