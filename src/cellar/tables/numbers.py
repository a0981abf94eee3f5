"""How a number is written in Markdown: digits by its unit, nowhere an exponent."""

from collections.abc import Callable
from decimal import Decimal

from cellar.tables.cells import Cell, Column

FORMATS: dict[str | None, Callable[[float], str]] = {
    "%": "{:.2f}".format,
    "points": "{:+.2f}".format,
    "MB": "{:,.2f}".format,
    "ms": "{:.2f}".format,
    "nats": "{:.4f}".format,
    "count": "{:,.0f}".format,
}


def value_text(cell: Cell, column: Column) -> str:
    if cell.kind == "not_run":
        return "not run"
    if cell.value is None:
        return "–"
    text = number_text(cell.value, cell.unit or column.unit)
    if cell.kind == "reported":
        return f"*{text}*"
    if cell.interval:
        low, high = (number_text(bound, cell.unit or column.unit) for bound in cell.interval)
        text += f" [{low}, {high}]"
    return text


def number_text(value: float | int | str, unit: str | None) -> str:
    if isinstance(value, str):
        return value
    return FORMATS.get(unit, plain)(value)


def plain(value: float) -> str:
    """A float's six digits that matter, without an exponent: 0.00001, 3360, 2.561."""
    return str(value) if isinstance(value, int) else f"{Decimal(f'{value:.6g}'):f}"
