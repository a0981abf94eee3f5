"""Tables 1 to 6: one-shot, scratch, transfer, and the three ways to distil.

A row is one figure of one model; its columns are the paper's two lines, train and test, the latter twice: at the
epoch that is best on validation, and at the one that is best on the test images, which is what the paper prints.
"""

from cellar import paths
from cellar.config import Params
from cellar.tables.cells import Cell, Column, Row, Table, keyed
from cellar.tables.run_cells import difference_files
from cellar.tables.runs import Runs

from ..printed import KEY, NETWORKS, data
from ..printed import rows as printed_rows
from . import notes, notes_on_paper
from .cells import BEST, FIGURES, TEST, TRAIN, cells, gain, highest
from .lines import ROWS, Shown, scratch_of, shown, sources

TITLES = {
    "table_1": "One-shot learning",
    "table_2": "Deep learning from scratch",
    "table_3": "Transfer learning",
    "table_4": "Knowledge distillation with labels",
    "table_5": "Knowledge distillation with features, MSE",
    "table_6": "Knowledge distillation with features, BCE",
}
SUBJECTS = {
    "table_3": "transfer",
    "table_4": "label KD",
    "table_5": "feature KD",
    "table_6": "feature KD",
}
COLUMNS = [
    Column(TRAIN, "train"),
    Column(TEST, "test, best on validation"),
    Column(BEST, "test, best on test (as published)"),
]
LOWEST_RATES = "mse_resnet18_features"  # the pre-trainings of which the text prints the highest R2


def inputs(params: Params, table: str) -> list[str]:
    needed = {str(paths.printed(KEY))}
    for line in shown(params, table):
        if line.runs and line.line:
            baseline = scratch_of(params, line.line) if is_compared(table, line) else None
            needed |= {
                *line.runs.metrics_files(),
                *line.runs.details_files(),
                *(difference_files(line.runs, baseline) if baseline else []),
            }
    return sorted(needed)


def judged(params: Params, table: str) -> list[Runs]:
    """The rows that the paper has, and what their differences from scratch are taken from."""
    printed = [line for line in shown(params, table) if line.runs and line.line and line.printed]
    baselines = [scratch_of(params, line.line) for line in printed if line.line and is_compared(table, line)]
    return [runs for runs in (*(line.runs for line in printed), *baselines) if runs]


def shown_params(params: Params, table: str) -> list[str]:
    return ["scale", *dict.fromkeys(key for line in shown(params, table) for key in sources(params, line))]


def build(params: Params, table: str) -> Table:
    lines = shown(params, table)
    compared = Column("gain", f"{SUBJECTS[table]} minus scratch (points)", "points") if table in SUBJECTS else None
    rows = [row for line in lines for row in rows_of(params, table, line)]
    rows += best_rate(rows) if table == "table_5" else []
    title = f"Table {table[-1]}. {TITLES[table]} on Pins Face Recognition"
    columns = [*COLUMNS, compared] if compared else COLUMNS
    remarks = [*notes.on_results(params, table, lines, rows), *notes_on_paper.of_table(table)]
    return Table(f"pins_{table}", title, KEY, params.scale.model_dump(), remarks, columns, rows)


def is_compared(table: str, line: Shown) -> bool:
    """Whether a row learnt its classes from more than labels, so that scratch is its baseline."""
    return table in SUBJECTS and line.kind == "classes"


def rows_of(params: Params, table: str, line: Shown) -> list[Row]:
    """One row for each figure; the difference from scratch is beside the accuracy."""
    rows = []
    for name, figure in FIGURES[line.kind].items():
        values = cells(params, line, name)
        if table in SUBJECTS:
            compared = name == "acc" and is_compared(table, line)
            values["gain"] = (
                gain(params, line, SUBJECTS[table], printed_gain(line)) if compared else Cell("derived")
            )  # fmt: skip
        rows.append(Row(f"{line.row}-{name}", f"{line.label}: {figure.label}", values))
    return rows


def printed_gain(line: Shown) -> float | None:
    """The difference of two printed test accuracies: this row's and that of Table 2."""
    alone = printed_rows("table_2")
    name = next((name for name, network in NETWORKS.items() if network == line.network), None)
    if name is None or "test" not in line.printed or line.row not in ROWS:
        return None
    return round(float(line.printed["test"]["acc"] - alone[name]["test"]["acc"]), 2)


def best_rate(rows: list[Row]) -> list[Row]:
    """The highest R2 of ResNet-18's pre-trainings, which the text prints after it names the lower learning rates."""
    printed = data()["text_values"]["r2_resnet18_mse_best"]["value"]
    tried = [row.cells[TEST] for row in rows if row.id.startswith(LOWEST_RATES) and row.id.endswith("-r2")]
    nothing = Cell("derived", reason="there is no such figure")
    best = keyed(highest(tried, printed), "text_values", "r2_resnet18_mse_best")
    values = {TRAIN: nothing, TEST: best, BEST: nothing, "gain": Cell("derived")}
    return [Row(f"{LOWEST_RATES}_highest-r2", "ResNet-18, pre-training: R², highest of all learning rates", values)]
