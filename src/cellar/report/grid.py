"""A table as the template shows it: heads, lines and cells, each with its words and its provenance."""

from dataclasses import dataclass, field

from cellar.report.chains import Chain, Chains
from cellar.studies import ALL_STUDIES, AUDIT
from cellar.tables import numbers, render
from cellar.tables.cells import Cell, Column, Row, Table

LONG = 40  # lines, from which on a table is folded
COLLECTED = (ALL_STUDIES, AUDIT)  # tables over several studies
MADE = ("measured", "timed", "counted")
EMPTY = "–"


@dataclass(frozen=True)
class Shown:
    """One cell: `text` is ours with its interval apart, `paper` the printed one with its mark."""

    id: str
    row: str
    column: str
    cell: Cell
    text: str
    interval: str
    paper: str
    verdict: str  # of the style sheet: reproduced, differs, inconsistent, incomparable, or nothing
    chain: Chain
    facts: dict[str, str]
    beside: bool  # whether the column has printed figures beside it
    words: bool  # whether the column holds words

    @property
    def opens(self) -> bool:
        return self.text != EMPTY or self.paper != EMPTY


@dataclass(frozen=True)
class Head:
    label: str
    kind: str = ""  # of the style sheet: paper, words, or nothing


@dataclass(frozen=True)
class Grid:
    """`made` is false where nothing of the table was run; `why` says so in a line."""

    id: str
    title: str
    heads: list[Head]
    lines: list[tuple[str, list[Shown]]]
    notes: list[str]
    made: bool
    why: str
    cells: list[Shown] = field(default_factory=list)

    @property
    def long(self) -> bool:
        return len(self.lines) > LONG


VERDICTS = {
    "reproduced": "reproduced",
    "differs": "differs",
    "paper inconsistent": "inconsistent",
    "not comparable": "incomparable",
}


def grid(table: Table, chains: Chains) -> Grid:
    heads = [head for column in table.columns for head in heads_of(table, column)]
    lines = [(row.label, [shown(table, row, column, chains) for column in table.columns]) for row in table.rows]
    cells = [shown for _, line in lines for shown in line]
    absent = next((shown.cell.reason for shown in cells if shown.cell.kind == "not_run"), None)
    made = any(shown.cell.kind in MADE for shown in cells) or absent is None
    return Grid(table.id, table.title, heads, lines, table.notes, made, absent or "", cells)


def heads_of(table: Table, column: Column) -> list[Head]:
    own = Head(column.label, "words" if words(table, column) else "")
    return [own, Head("paper", "paper")] if beside(table, column) else [own]


def beside(table: Table, column: Column) -> bool:
    """Whether printed values are beside a column; a list over all studies has them in a column of its own."""
    return table.study not in COLLECTED and any(row.cells[column.id].paper is not None for row in table.rows)


def words(table: Table, column: Column) -> bool:
    values = [row.cells[column.id].value for row in table.rows]
    return any(isinstance(value, str) and any(map(str.isalpha, value)) for value in values)


def shown(table: Table, row: Row, column: Column, chains: Chains) -> Shown:
    cell = row.cells[column.id]
    chain = chains.of(table, row, cell)
    return Shown(
        f"{table.id}.{row.id}.{column.id}",
        row.label,
        column.label,
        cell,
        value(cell, column),
        interval(cell, column),
        render.paper_text(cell, column),
        VERDICTS.get(cell.verdict or "", ""),
        chain,
        facts(cell, column, chain),
        beside(table, column),
        words(table, column),
    )


def value(cell: Cell, column: Column) -> str:
    if cell.kind == "not_run":
        return "not run"
    return EMPTY if cell.value is None else numbers.number_text(cell.value, cell.unit or column.unit)


def interval(cell: Cell, column: Column) -> str:
    if not cell.interval or cell.value is None:
        return ""
    low, high = (numbers.number_text(bound, cell.unit or column.unit) for bound in cell.interval)
    return f"[{low}, {high}]"


def facts(cell: Cell, column: Column, chain: Chain) -> dict[str, str]:
    """The words of the panel, as `cellar explain` has them."""
    unit = cell.unit or column.unit or ""
    bounds = interval(cell, column)
    words = {
        "kind": cell.kind.replace("_", " "),
        "unit": "" if unit == "count" else unit,
        "interval": f"{bounds}, 95 %" if bounds else "",
        "method": getattr(cell, "method", None) or "",
        "sd (n - 1)": f"{cell.std:g}" if cell.std is not None else "",
        "n": f"{cell.n:,}" if cell.n is not None else "",
        "paper": render.paper_text(cell, column) if cell.paper is not None else "",
        "verdict": cell.verdict or "",
        "reason": cell.reason or "",
        "printed in": chain.printed,
        "from": ", ".join(cell.metrics or []),
    }
    return {word: value for word, value in words.items() if value}
