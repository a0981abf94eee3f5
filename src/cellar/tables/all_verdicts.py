"""Table `verdicts`: every printed value of every paper beside ours, collected from the tables' own JSON.

Nothing is measured or judged twice: a cell's verdict is taken as its table gives it. What no table shows is compared
with a count of parameters, or with what two cells give, and else said to have no value of ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import places, reference, verdicts
from cellar.tables.cells import Cell, Column, Row, Table, from_json
from cellar.tables.claims import CLAIMS, Claim
from cellar.tables.pins_cells import BEST
from cellar.tables.printed import ALL, Place, Printed, values

ID = "verdicts"
COUNTED = {  # networks whose parameters are counted, and in no table
    (reference.CIFAR100_KD, "teacher"): "resnet32x4",
    (reference.CIFAR100_KD, "student"): "cnn4",
    (reference.SMALL_DATASET_KD, "ConvNet-9"): "convnet9",
    (reference.SMALL_DATASET_KD, "ResNet-50"): "resnet50_vggface2",
    (reference.SMALL_DATASET_KD, "ResNet-18"): "resnet18",
    (reference.SMALL_DATASET_KD, "InceptionV3"): "inception_v3",
    (reference.SMALL_DATASET_KD, "MobileNet"): "mobilenet_v1",
}
PARAMETERS = {"params", "params_text"}
COLUMNS = [
    Column("printed", "printed"),
    Column("measured", "ours"),
    Column("difference", "difference"),
    Column("verdict", "verdict"),
    Column("cell", "our cell"),
]
NOTES = [
    "ours: the cell of our table that is named at the end of the line; `cellar explain TABLE ROW COLUMN` with its three "
    "words tells where the number comes from. difference: ours minus printed. sd: standard deviation over runs, of the "
    "sample (ddof 1); the JSON has that of the population (ddof 0) too, and n and the method of every interval.",
    "reproduced: counts are equal, a printed accuracy lies inside our 95 % interval. differs: it does not. paper "
    "inconsistent: the paper prints the quantity twice, differently, or as another's. not comparable: the reason says "
    "why; accuracies are judged at the paper's scale alone.",
    "same setting, other setting: set, not measured. cited: a figure of other work, or a width, copied, not made here. "
    "not run: its data set is off, or its line is not in params.yaml. no value of ours: no table shows it.",
    "Where a table shows one printed value twice, at the epoch that is best on validation and at the one that is best "
    "on the test images, the latter stands here, as published.",
]

Found = tuple[str, Cell]  # "table row column", and the cell
Shown = Mapping[tuple[str, Place], Found]


def inputs(params: Params, shown: list[str]) -> list[str]:
    """`shown`: the tables to collect from."""
    return [str(paths.REFERENCE), str(paths.MODEL_COUNTS), *(str(paths.TABLES / f"{one}.json") for one in shown)]


def build(params: Params, shown: list[str]) -> Table:
    tables = [from_json(files.read_json(paths.TABLES / f"{one}.json")) for one in shown]
    found, counts = collected(tables), files.read_json(paths.MODEL_COUNTS)
    rows = [row(one, found, counts) for study in ALL for one in values(study)]
    title = "Verdicts: every printed value beside ours"
    return Table(ID, title, reference.ALL_STUDIES, params.scale.model_dump(), NOTES, COLUMNS, rows)


def collected(tables: list[Table]) -> Shown:
    """By study and place of the printed value, the cell that stands beside it."""
    found: dict[tuple[str, Place], list[tuple[bool, bool, str, Cell]]] = {}
    for table in tables:
        for line in table.rows:
            for column in table.columns:
                cell = line.cells[column.id]
                place = places.of(table, line, column.id) if places.has_figure(cell) else None
                if place:
                    named = replace(cell, unit=cell.unit or column.unit)
                    entry = (cell.value is None, column.id != BEST, f"{table.id} {line.id} {column.id}", named)
                    found.setdefault((table.study, place), []).append(entry)
    return {key: min(entries, key=lambda entry: entry[:2])[2:] for key, entries in found.items()}


def row(one: Printed, found: Shown, counts: dict[str, Any]) -> Row:
    where, cell = beside(one, found, counts)
    status, reason = said(one, cell)
    printed = cell.paper if cell and isinstance(cell.paper, str) else one.value
    unit = one.unit or (cell.unit if cell else None)
    cells = {
        "printed": Cell("reported", printed, unit),
        "measured": cell or Cell("not_run", unit=unit, paper=printed, reason=reason),
        "difference": difference(cell, one.value, unit),
        "verdict": Cell("derived", status, reason=reason),
        "cell": Cell("derived", where),
    }
    claim = claim_of(one)
    return Row(one.id, f"{one.label.partition(': ')[0]}: {claim.label}" if claim else one.label, cells)


def beside(one: Printed, found: Shown, counts: dict[str, Any]) -> tuple[str | None, Cell | None]:
    """Our cell for a printed value and its name: as a table shows it, counted, or made of two cells."""
    if (one.study, one.place) in found:
        return found[one.study, one.place]
    if one.place[0] == "text":
        where, cell = found.get((one.study, ("tables", "table_IV", *one.place[1:])), (None, None))
        return where, replace(cell, paper=one.value) if cell else None
    if one.place[0] == "models" and one.place[-1] in PARAMETERS:
        network = COUNTED[one.study, one.place[1]]
        return f"{paths.MODEL_COUNTS}, {network}", counted(one, counts[network]["parameters"])
    claim = claim_of(one)
    return claimed(one, claim, found) if claim else (None, None)


def claim_of(one: Printed) -> Claim | None:
    return CLAIMS.get(one.study, {}).get(one.place[-1]) if one.place[0] == "derived_claims" else None


def counted(one: Printed, parameters: int) -> Cell:
    """Beside parameters printed to the unit, or rounded to millions."""
    verdict, reason = verdicts.of_count(parameters, one.value) if isinstance(one.value, int) else verdicts.of_millions(parameters, str(one.value))  # fmt: skip
    source = [str(paths.MODEL_COUNTS)]
    return Cell(
        "counted", parameters, "count", one.value, None, verdict, reason, stage=["count_models"], metrics=source
    )


def claimed(one: Printed, claim: Claim, found: Shown) -> tuple[str | None, Cell | None]:
    """What a difference or percentage of the text comes to with our two cells; judged where both are counts."""
    pair = [found[one.study, place] for place in (claim.larger, claim.smaller) if (one.study, place) in found]
    cells, where = [cell for _, cell in pair], " and ".join(name for name, _ in pair)
    numbers = [float(cell.value) for cell in cells if isinstance(cell.value, int | float)]
    if len(numbers) < 2:
        return where, Cell("not_run", paper=one.value, reason=next((c.reason for c in cells if c.value is None), None))
    value = round(claim.of(*numbers), 2)
    alike = all(cell.kind == "counted" for cell in cells) and isinstance(one.value, int | float)
    judged = verdicts.of_count(value, one.value) if alike else unjudged(cells)  # type: ignore[arg-type]
    stage, metrics = (gathered(cells, name) for name in ("stage", "metrics"))
    return where, Cell("derived", value, one.unit, one.value, None, *judged, stage=stage, metrics=metrics)


def gathered(cells: list[Cell], name: str) -> list[str]:
    return list(dict.fromkeys(one for cell in cells for one in getattr(cell, name) or []))


def unjudged(pair: list[Cell]) -> verdicts.Judgement:
    reasons = dict.fromkeys(c.reason for c in pair if c.reason and c.verdict == "not comparable")
    return "not comparable", "; ".join(map(str, reasons)) or "made of two measured cells: it has no interval"


def said(one: Printed, cell: Cell | None) -> tuple[str, str | None]:
    """The verdict of a line, or why there is none."""
    if cell is None:
        return "no value of ours", "a setting" if one.is_setting else "no table shows it"
    if cell.kind == "reported":
        return "cited", "copied from the paper"
    if cell.verdict:
        return cell.verdict, cell.reason
    if cell.kind == "not_run" or cell.value is None:
        return "not run", cell.reason
    return "same setting" if cell.value == cell.paper else "other setting", cell.reason


def difference(cell: Cell | None, printed: Any, unit: str | None) -> Cell:
    """Ours minus printed, of numbers that are not the paper's own."""
    if cell is None or cell.kind == "reported" or not isinstance(cell.value, int | float) or isinstance(printed, str):
        return Cell("derived")
    return Cell("derived", round(cell.value - printed, 4), "points" if unit == "%" else unit)
