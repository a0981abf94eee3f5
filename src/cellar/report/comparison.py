"""What a study compares over several of its tables (`Study.comparison`): a part for each column that it names, with
the tables' rows as rows and the tables as columns. Differences are drawn, those of one column on one axis."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor

from cellar import studies
from cellar import tables as all_tables
from cellar.config import Config
from cellar.report.grid import EMPTY, Grid, Shown
from cellar.tables.cells import NOT_RUN, Table

DIFFERENCES = "points"  # unit of what is drawn


@dataclass(frozen=True)
class Axis:
    """From one whole number to another: all intervals of a column lie between them, and 0."""

    low: int
    high: int

    @property
    def low_text(self) -> str:
        return signed(self.low)

    @property
    def high_text(self) -> str:
        return signed(self.high)

    def at(self, value: float) -> str:
        """The place of a value, from the left."""
        return f"{100 * (value - self.low) / (self.high - self.low):.1f}%"


@dataclass(frozen=True)
class Mark:
    """A difference on its axis. `kind`, of the style sheet: whether it helps or hurts; `open`: not over seeds."""

    kind: str
    open: bool
    point: str
    low: str
    high: str


@dataclass(frozen=True)
class Compared:
    """A cell of a table; `shown` is None where the table has no such row."""

    shown: Shown | None
    axis: Axis | None

    @property
    def absent(self) -> str:
        """Why there is no such row."""
        return NOT_RUN.reason or ""

    @property
    def empty(self) -> bool:
        return self.shown is not None and self.shown.text == EMPTY

    @property
    def number(self) -> float | None:
        value = self.shown.cell.value if self.shown else None
        return value if isinstance(value, int | float) else None

    @property
    def mark(self) -> Mark | None:
        interval = interval_of(self.shown)
        if not self.axis or not self.shown or not interval or self.number is None:
            return None
        low, high = interval
        kind = "helps" if low > 0 else "hurts" if high < 0 else "unclear"
        places = map(self.axis.at, (self.number, low, high))
        return Mark(kind, "seeds" not in (self.shown.cell.method or ""), *places)


@dataclass(frozen=True)
class Part:
    """One column of the tables. `heads`: each table's name, and the axis of its differences."""

    label: str
    heads: list[tuple[str, Axis | None]]
    lines: list[tuple[str, list[Compared]]]


@dataclass(frozen=True)
class Side:
    """The parts that have something to show."""

    title: str
    rows: str
    parts: list[Part]


def side_by_side(config: Config, key: str, tables: list[Table], grids: list[Grid]) -> Side | None:
    """Of tables that params.yaml lists, at its scale; others are of an earlier one. None of a study that it has not, that compares
    nothing, or of which no such table is built."""
    study = studies.known().get(key)
    declared = study.comparison if study and key in config.studies else None
    if not declared:
        return None
    cells = {shown.id: shown for grid in grids for shown in grid.cells}
    known, scale = all_tables.known(config), config.params(key).scale.model_dump()
    present = [table for table in tables if table.id in known and table.scale == scale]
    those = [table for table in present if set(declared.columns) <= {column.id for column in table.columns}]
    parts = [part(those, column, cells) for column in declared.columns if those]
    parts = [each for each in parts if each.lines]
    return Side(declared.title, declared.rows, parts) if parts else None


def part(tables: list[Table], column: str, cells: Mapping[str, Shown]) -> Part:
    label, unit = next((one.label, one.unit) for one in tables[0].columns if one.id == column)
    rows = labels(tables)
    found = [[cells.get(f"{table.id}.{row}.{column}") for row in rows] for table in tables]
    axes = [axis(each) if unit == DIFFERENCES else None for each in found]
    lines = [
        (name, [Compared(shown, axis) for shown, axis in zip(across, axes, strict=True)])
        for name, across in zip(rows.values(), zip(*found, strict=True), strict=True)
    ]
    heads = [(table.id.rpartition("/")[2], axis) for table, axis in zip(tables, axes, strict=True)]
    return Part(label, heads, [line for line in lines if says_something(line[1])])


def labels(tables: list[Table]) -> dict[str, str]:
    """Every row of any table, by its id: its label, or the id where the tables call it differently."""
    found: dict[str, set[str]] = {}
    for row in (row for table in tables for row in table.rows):
        found.setdefault(row.id, set()).add(row.label)
    return {row: next(iter(names)) if len(names) == 1 else row for row, names in found.items()}


def axis(column: Iterable[Shown | None]) -> Axis | None:
    """None where nothing is to be drawn."""
    bounds = [bound for shown in column for bound in interval_of(shown) or ()]
    if not bounds:
        return None
    low, high = floor(min(0, *bounds)), ceil(max(0, *bounds))
    return Axis(low, max(high, low + 1))


def signed(number: int) -> str:
    return f"{number:+d}" if number else "0"


def interval_of(shown: Shown | None) -> list[float] | None:
    return shown.cell.interval if shown else None


def says_something(line: list[Compared]) -> bool:
    return any(one.shown and not one.empty for one in line)
