"""A table as Markdown and as JSON. The Markdown is made from the JSON's content alone, so it can be proven."""

from pathlib import Path

from cellar import files, studies
from cellar.studies import ALL_STUDIES
from cellar.tables import listing
from cellar.tables.cells import Cell, Column, Table, as_json, from_json
from cellar.tables.numbers import number_text, value_text
from cellar.tables.runs import SEVERAL_PROCESSORS

SYNTHETIC = (
    "**These numbers come from synthetic {what}, not from photographs; the paper's figures stand beside them for "
    "reference only.**"
)
LEGEND = (
    "*Italic*: cited by the paper, not made here. Paper's figure: ✓ reproduced, ✗ differs, ‡ the paper contradicts "
    "itself; no mark: not comparable (`cellar explain` says why)."
)
MARKS = {"reproduced": " ✓", "differs": " ✗", "paper inconsistent": " ‡"}


def write(table: Table, folder: Path) -> None:
    """<id>.json and <id>.md; the Markdown last, for it is what people wait for."""
    data = as_json(table)
    files.write_json(folder / f"{table.id}.json", data)
    files.write_text(folder / f"{table.id}.md", markdown(from_json(data)))


def markdown(table: Table) -> str:
    scale = f"Scale: {table.scale['name']} ({table.scale['note']})."
    head = [SYNTHETIC.format(what=images_of(table)), ""] if table.scale.get("synthetic") else []
    head += [f"# {table.title}", "", scale, ""]
    if table.study == ALL_STUDIES:
        return "\n".join([*head, *listing.body(table)]) + "\n"
    notes = [*table.notes, *of_several_processors(table)]
    foot = ["", f"{intervals(table)} {LEGEND}"] + [f"{i}. {note}" for i, note in enumerate(notes, 1)]
    if notes:
        foot.insert(2, "")
    return "\n".join([*head, *grid(table), *foot]) + "\n"


def images_of(table: Table) -> str:
    """What the images of a table show, in words; not of one over several studies, of which others may be added."""
    study = studies.known().get(table.study)
    return study.images if study else "images"


def intervals(table: Table) -> str:
    """What [a, b] is, by which methods."""
    methods = dict.fromkeys(cell.method for row in table.rows for cell in row.cells.values() if cell.method)
    return f"[a, b]: 95 % interval ({'; '.join(map(str, methods))})." if methods else "[a, b]: 95 % interval."


def of_several_processors(table: Table) -> list[str]:
    """A note that names the cells whose bytes cannot be made again."""
    mixed = [
        f"{row.label}, {column.label}"
        for row in table.rows
        for column in table.columns
        if SEVERAL_PROCESSORS in (row.cells[column.id].reason or "")
    ]
    return [f"{'; '.join(mixed)}: {SEVERAL_PROCESSORS}."] if mixed else []


def grid(table: Table) -> list[str]:
    """The pipe table, columns aligned; a column with figures of the paper is followed by them."""
    header = [""]
    lines = [[row.label] for row in table.rows]
    for column in table.columns:
        cells = [row.cells[column.id] for row in table.rows]
        header.append(column.label)
        for line, cell in zip(lines, cells, strict=True):
            line.append(value_text(cell, column))
        if any(cell.paper is not None for cell in cells):
            header.append("paper")
            for line, cell in zip(lines, cells, strict=True):
                line.append(paper_text(cell, column))
    widths = [max(3, *map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [
        row_text(header, widths),
        "| " + " | ".join(rule) + " |",
        *(row_text(line, widths) for line in lines),
    ]


def row_text(texts: list[str], widths: list[int]) -> str:
    padded = [
        texts[0].ljust(widths[0]),
        *(text.rjust(width) for text, width in zip(texts[1:], widths[1:], strict=True)),
    ]
    return "| " + " | ".join(padded) + " |"


def paper_text(cell: Cell, column: Column) -> str:
    if cell.paper is None:
        return "–"
    variants = "".join(f" or {number_text(value, cell.unit or column.unit)}" for value in cell.paper_variants or [])
    return number_text(cell.paper, cell.unit or column.unit) + variants + MARKS.get(cell.verdict or "", "")
