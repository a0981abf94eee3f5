"""Long pages over all studies: how to read them, a count by study, then one line for each finding, in sections.

Lines are not padded: a change of one value is a change of one line.
"""

from collections.abc import Callable, Iterator
from itertools import groupby

from cellar import studies
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.numbers import number_text, value_text
from cellar.tables.verdicts import STATUSES

ANY = Column("", "")
DASH = "–"


def text(column: str) -> Callable[[Row, Table], str]:
    """A column of words, or of numbers as they are printed."""
    return lambda row, table: words(row.cells[column], table)


def words(cell: Cell, table: Table) -> str:
    return DASH if cell.value is None else number_text(cell.value, cell.unit)


def printed(row: Row, table: Table) -> str:
    """With all the digits that the paper prints."""
    cell = row.cells["printed"]
    shown = words(cell, table)
    if isinstance(cell.value, float) and float(shown.replace(",", "")) != cell.value:
        return f"{cell.value:,.10f}".rstrip("0").rstrip(".")
    return shown


def ours(row: Row, table: Table) -> str:
    cell = row.cells["measured"]
    return DASH if cell.kind in ("not_run", "reported") else value_text(cell, ANY)


def sd(row: Row, table: Table) -> str:
    cell = row.cells["measured"]
    return DASH if cell.std is None else number_text(cell.std, cell.unit)


def reason(row: Row, table: Table) -> str:
    return row.cells["verdict"].reason or ""


LAYOUTS: dict[str, list[tuple[str, Callable[[Row, Table], str]]]] = {
    "verdicts": [
        ("printed", printed),
        ("ours", ours),
        ("difference", text("difference")),
        ("sd", sd),
        ("verdict", text("verdict")),
        ("reason", reason),
        ("our cell", text("cell")),
    ],
    "contradictions": [
        ("what is printed", text("printed")),
        ("what follows", text("follows")),
        ("by which arithmetic", text("arithmetic")),
    ],
}
COUNTED = {"verdicts": "verdict", "contradictions": "kind"}  # the column that is counted by study


def body(table: Table) -> Iterator[str]:
    yield from counts(table)
    yield ""
    for note in table.notes:
        yield f"* {note}"
    for key, in_study in groupby(table.rows, key=study_of):
        yield from ("", f"## {name_of(key)}", "", f"*{title_of(key)}*")
        for section, rows in groupby(in_study, key=section_of):
            yield from ("", f"### {section}", "")
            yield from lines(table, list(rows))


def counts(table: Table) -> Iterator[str]:
    """One line for each study: how many lines of each kind."""
    column = COUNTED[table.id]
    values = dict.fromkeys(str(row.cells[column].value) for row in table.rows)  # in the order of the lines
    kinds = [*(status for status in STATUSES if status in values), *(kind for kind in values if kind not in STATUSES)]
    yield from header(["study", "all", *kinds])
    for key in dict.fromkeys(map(study_of, table.rows)):
        own = [str(row.cells[column].value) for row in table.rows if study_of(row) == key]
        yield line([name_of(key), str(len(own)), *(str(own.count(kind)) for kind in kinds)])


def lines(table: Table, rows: list[Row]) -> Iterator[str]:
    layout = LAYOUTS[table.id]
    yield from header(["", *(name for name, _ in layout)])
    for row in rows:
        yield line([row.label.partition(": ")[2], *(shown(row, table) for _, shown in layout)])


def header(names: list[str]) -> list[str]:
    return [line(names), line(["---"] * len(names))]


def line(texts: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def study_of(row: Row) -> str:
    return row.id.partition(".")[0]


def name_of(key: str) -> str:
    study = studies.known().get(key)
    return study.name if study else key


def title_of(key: str) -> str:
    study = studies.known().get(key)
    return study.title if study else key


def section_of(row: Row) -> str:
    return row.label.partition(": ")[0]
