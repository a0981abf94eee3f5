"""Tables 1 to 6 of the small-dataset study: one-shot, scratch, transfer, and the three ways to distil.

A row is one figure of one model; its columns are the study's two lines, train and test, the latter twice: at the
epoch that is best on validation, and at the one that is best on the test images, which is what the study prints.
"""

from cellar import paths
from cellar.config import Params
from cellar.tables import pins_contradictions, pins_notes, reference
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.pins_cells import BEST, FIGURES, TEST, TRAIN, cells, gain, highest
from cellar.tables.pins_lines import DATASET, NETWORKS, ROWS, TABLES, Shown, scratch_of, shown, sources
from cellar.tables.runs import difference_files

TITLES = {
    "pins_table_1": "One-shot learning",
    "pins_table_2": "Deep learning from scratch",
    "pins_table_3": "Transfer learning",
    "pins_table_4": "Knowledge distillation with labels",
    "pins_table_5": "Knowledge distillation with features, MSE",
    "pins_table_6": "Knowledge distillation with features, BCE",
}
SUBJECTS = {
    "pins_table_3": "transfer",
    "pins_table_4": "label KD",
    "pins_table_5": "feature KD",
    "pins_table_6": "feature KD",
}
COLUMNS = [
    Column(TRAIN, "train"),
    Column(TEST, "test, best on validation"),
    Column(BEST, "test, best on test (as published)"),
]
LOWEST_RATES = "mse_resnet18_features"  # the pre-trainings of which the text prints the highest R2


def known(params: Params) -> list[str]:
    """All six, wherever params.yaml lists the data set, be it on or off."""
    return TABLES if DATASET in params.datasets else []


def inputs(params: Params, table: str) -> list[str]:
    needed = {str(paths.REFERENCE)}
    for one in shown(params, table):
        if one.runs and one.line:
            baseline = scratch_of(params, one.line) if is_compared(table, one) else None
            needed |= {
                *one.runs.metrics_files(),
                *one.runs.details_files(),
                *(difference_files(one.runs, baseline) if baseline else []),
            }
    return sorted(needed)


def param_keys(params: Params, table: str) -> list[str]:
    return ["scale", *dict.fromkeys(key for one in shown(params, table) for key in sources(params, one))]


def build(params: Params, table: str) -> Table:
    lines = shown(params, table)
    compared = Column("gain", f"{SUBJECTS[table]} minus scratch (points)", "points") if table in SUBJECTS else None
    rows = [row for one in lines for row in rows_of(params, table, one)]
    rows += best_rate(rows) if table == "pins_table_5" else []
    title = f"Table {table[-1]}. {TITLES[table]} on Pins Face Recognition"
    columns = [*COLUMNS, compared] if compared else COLUMNS
    notes = [*pins_notes.ours(params, table, lines, rows), *pins_contradictions.theirs(table)]
    return Table(table, title, reference.SMALL_DATASET_KD, params.scale.model_dump(), notes, columns, rows)


def is_compared(table: str, one: Shown) -> bool:
    """Whether a line learnt its classes from more than labels, so that scratch is what to compare with."""
    return table in SUBJECTS and one.kind == "classes"


def rows_of(params: Params, table: str, one: Shown) -> list[Row]:
    """One row a figure; the difference from scratch stands beside the accuracy."""
    rows = []
    for name, figure in FIGURES[one.kind].items():
        found = cells(params, one, name)
        if table in SUBJECTS:
            compared = name == "acc" and is_compared(table, one)
            brought = gain(params, one, SUBJECTS[table], printed_gain(one)) if compared else Cell("derived")
            found["gain"] = brought
        rows.append(Row(f"{one.row}-{name}", f"{one.label}: {figure.label}", found))
    return rows


def printed_gain(one: Shown) -> float | None:
    """The difference of the two test accuracies that the study prints."""
    alone = reference.table("table_2", reference.SMALL_DATASET_KD)["rows"]
    name = next((name for name, network in NETWORKS.items() if network == one.network), None)
    if name is None or "test" not in one.printed or one.row not in ROWS:
        return None
    return round(float(one.printed["test"]["acc"] - alone[name]["test"]["acc"]), 2)


def best_rate(rows: list[Row]) -> list[Row]:
    """The highest R2 of ResNet-18's pre-trainings, which the text prints after it names the lower learning rates."""
    printed = reference.study(reference.SMALL_DATASET_KD)["text_values"]["r2_resnet18_mse_best"]["value"]
    tried = [row.cells[TEST] for row in rows if row.id.startswith(LOWEST_RATES) and row.id.endswith("-r2")]
    nothing = Cell("derived", reason="there is no such figure")
    found = {TRAIN: nothing, TEST: highest(tried, printed), BEST: nothing, "gain": Cell("derived")}
    return [Row(f"{LOWEST_RATES}_highest-r2", "ResNet-18, pre-training: R², highest of all learning rates", found)]
