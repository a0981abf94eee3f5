"""Table `verdicts`: every printed value of every paper beside ours, collected from the tables' own JSON.

Nothing is measured or judged twice: a cell's verdict is the one its table gives it. What no table shows is compared
with a count of parameters, or with what two cells give; otherwise there is no value of ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cellar import files, paths, studies
from cellar.config import Config
from cellar.studies import ALL_STUDIES, Study
from cellar.tables import verdicts
from cellar.tables.cells import Cell, Column, Row, Table, from_json
from cellar.tables.claims import Claim
from cellar.tables.printed_values import Printed, paper

ID = "verdicts"
AS_PUBLISHED = "best_on_test"  # column that measures as papers without validation images do
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
    "why. An accuracy is judged where its own training follows what the paper prints of it (docs/cells.md).",
    "same setting, other setting: set, not measured. cited: a figure of other work, or a width, copied, not made here. "
    "not run: its data set is off, or its line is not in params.yaml. no value of ours: no table shows it.",
    "Where a table shows one printed value twice, at the epoch that is best on validation and at the one that is best "
    "on the test images, the latter stands here, as published.",
]

Named = tuple[str, Cell]  # "table row column", and the cell
Shown = Mapping[tuple[str, str], Named]  # by study and key of the printed value


def inputs(config: Config, shown: list[str]) -> list[str]:
    """`shown`: the tables to collect from."""
    used = studies.used(config)
    printed = [str(paths.printed(study.key)) for study in used]
    counted = [str(paths.model_counts(study.key)) for study in used if study.networks]
    return [*printed, *counted, *(str(paths.TABLES / f"{table}.json") for table in shown)]


def build(config: Config, shown: list[str]) -> Table:
    collected = by_printed_key([from_json(files.read_json(paths.TABLES / f"{table}.json")) for table in shown])
    rows = []
    for study in studies.used(config):
        counts = files.read_json(paths.model_counts(study.key)) if study.networks else {}
        rows += [row(study, printed, collected, counts) for printed in paper(study.key).values.values()]
    title = "Verdicts: every printed value beside ours"
    return Table(ID, title, ALL_STUDIES, config.scale.model_dump(), NOTES, COLUMNS, rows)


def by_printed_key(tables: list[Table]) -> Shown:
    """By study and key of the printed value, the cell that it stands beside."""
    entries: dict[tuple[str, str], list[tuple[bool, bool, str, Cell]]] = {}
    for table in tables:
        for line in table.rows:
            for column in table.columns:
                cell = line.cells[column.id]
                if cell.printed_key:
                    named = replace(cell, unit=cell.unit or column.unit)
                    name = f"{table.id} {line.id} {column.id}"
                    entry = (cell.value is None, column.id != AS_PUBLISHED, name, named)
                    entries.setdefault((table.study, cell.printed_key), []).append(entry)
    return {key: min(cells, key=lambda entry: entry[:2])[2:] for key, cells in entries.items()}


def row(study: Study, printed: Printed, shown: Shown, counts: dict[str, Any]) -> Row:
    where, cell = beside(study, printed, shown, counts)
    status, reason = outcome(printed, cell)
    value = cell.paper if cell and isinstance(cell.paper, str) else printed.value
    unit = printed.unit or (cell.unit if cell else None)
    cells = {
        "printed": Cell("reported", value, unit, printed_key=printed.key),
        "measured": cell or Cell("not_run", unit=unit, paper=value, reason=reason, printed_key=printed.key),
        "difference": difference(cell, printed.value, unit),
        "verdict": Cell("derived", status, reason=reason),
        "cell": Cell("derived", where),
    }
    claim = claim_of(study, printed)
    label = f"{printed.label.partition(': ')[0]}: {claim.label(paper(study.key))}" if claim else printed.label
    return Row(printed.id, label, cells)


def beside(
    study: Study, printed: Printed, shown: Shown, counts: dict[str, Any]
) -> tuple[str | None, Cell | None]:  # fmt: skip
    """Our cell for a printed value and its name: as a table shows it, counted, or made of two cells."""
    if (study.key, printed.key) in shown:
        return shown[study.key, printed.key]
    if printed.place[0] == "text":
        in_table = ".".join(paper(study.key).same_in_table(printed.place))
        where, cell = shown.get((study.key, in_table), (None, None))
        return where, replace(cell, paper=printed.value, printed_key=printed.key) if cell else None
    if printed.place[0] == "models" and printed.place[-1] in PARAMETERS and printed.place[1] in study.printed_networks:
        network = study.printed_networks[printed.place[1]]
        return f"{paths.model_counts(study.key)}, {network}", counted(study, printed, counts[network]["parameters"])
    claim = claim_of(study, printed)
    return claimed(printed, claim, shown) if claim else (None, None)


def claim_of(study: Study, printed: Printed) -> Claim | None:
    return study.claims.get(printed.place[-1]) if printed.place[0] == "derived_claims" else None


def counted(study: Study, printed: Printed, parameters: int) -> Cell:
    """Beside parameters printed to the unit, or rounded to millions."""
    exact = isinstance(printed.value, int)
    verdict, reason = (
        verdicts.of_count(parameters, printed.value) if exact else verdicts.of_millions(parameters, str(printed.value))  # type: ignore[arg-type]
    )
    return Cell(
        "counted", parameters, "count", printed.value, None, verdict, reason, stage=[paths.stage_address("count_models", "", study.key)],
        metrics=[str(paths.model_counts(study.key))], printed_key=printed.key,
    )  # fmt: skip


def claimed(printed: Printed, claim: Claim, shown: Shown) -> tuple[str | None, Cell | None]:
    """What a difference or percentage of the text comes to with our two cells; judged where both are counts."""
    keys = [(printed.study, ".".join(place)) for place in (claim.larger, claim.smaller)]
    pair = [shown[key] for key in keys if key in shown]
    cells, where = [cell for _, cell in pair], " and ".join(name for name, _ in pair)
    numbers = [float(cell.value) for cell in cells if isinstance(cell.value, int | float)]
    if len(numbers) < 2:
        reason = next((cell.reason for cell in cells if cell.value is None), None)
        return where, Cell("not_run", paper=printed.value, reason=reason, printed_key=printed.key)
    value = round(claim.of(*numbers), 2)
    alike = all(cell.kind == "counted" for cell in cells) and isinstance(printed.value, int | float)
    judged = verdicts.of_count(value, printed.value) if alike else unjudged(cells)  # type: ignore[arg-type]
    stage, metrics = (gathered(cells, name) for name in ("stage", "metrics"))
    return where, Cell(
        "derived", value, printed.unit, printed.value, None, *judged, stage=stage, metrics=metrics,
        printed_key=printed.key,
    )  # fmt: skip


def gathered(cells: list[Cell], name: str) -> list[str]:
    return list(dict.fromkeys(value for cell in cells for value in getattr(cell, name) or []))


def unjudged(pair: list[Cell]) -> verdicts.Judgement:
    reasons = dict.fromkeys(cell.reason for cell in pair if cell.reason and cell.verdict == "not comparable")
    return "not comparable", "; ".join(map(str, reasons)) or "made of two measured cells: it has no interval"


def outcome(printed: Printed, cell: Cell | None) -> tuple[str, str | None]:
    """The verdict of a line, or why there is none."""
    if cell is None:
        return "no value of ours", "a setting" if printed.is_setting else "no table shows it"
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
