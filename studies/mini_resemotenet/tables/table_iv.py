"""Table IV: the experiments, with what the paper left out: the same students alone, and the gain from KD."""

from collections.abc import Iterator
from typing import Any

from cellar import paths
from cellar.config import Experiment, Params
from cellar.tables.cells import Cell, Column, Row, Table, keyed_row
from cellar.tables.run_cells import absent, accuracy_cell, gain_cell, gain_files, mean_cell
from cellar.tables.runs import Runs, experiment_keys, experiment_lines, row_runs, runs_of, teacher_runs

from ..printed import DATASETS, KEY, table, variants

TEACHER = "Teacher Model (ResEmoteNet)"
LOSS_REASON = (
    "the paper's loss column is on two scales (0.06 to 0.12 and 0.52 to 0.97); ours is the mean cross-entropy per image"
)
COLUMNS = [
    Column("T", "T"),
    Column("alpha", "alpha"),
    Column("accuracy", "accuracy (%)", "%"),
    Column("last_epoch", "last epoch (%)", "%"),
    Column("gain", "teacher brings (points)", "points"),
    Column("loss", "test loss", "nats"),
]

Printed = dict[str, Any]  # one printed row


def inputs(params: Params) -> list[str]:
    needed = [str(paths.printed(KEY))]
    for dataset in DATASETS:
        teacher = teacher_runs(params, dataset)
        needed += teacher.metrics_files() if teacher else []
        for key, line in experiment_lines(params, dataset).items():
            runs = runs_of(params, key, line)
            needed += runs.metrics_files() + gain_files(params, line, runs)
    return sorted(set(needed))


def judged(params: Params) -> Iterator[Runs]:
    """The teacher, and the rows that the paper has."""
    for dataset, name in DATASETS.items():
        for row in table("table_IV")[name]:
            if runs := row_runs(params, dataset, None if row == "teacher" else row):
                yield runs


def shown_params(params: Params) -> list[str]:
    """Rows, T and alpha are shown, so they are inputs; accuracies reach the table through the metrics."""
    keys = ["scale"]
    for dataset in DATASETS:
        for key, line in experiment_lines(params, dataset).items():
            keys += experiment_keys(key, "row", *(("method.temperature", "method.task_weight") if line.teacher else ()))
    return keys


def build(params: Params) -> Table:
    rows = [row for dataset in DATASETS for row in dataset_rows(params, dataset)]
    title = "Table IV. Experiments on FER2013 and RAF-DB"
    return Table("table_iv", title, KEY, params.scale.model_dump(), notes(), COLUMNS, rows)


def dataset_rows(params: Params, dataset: str) -> list[Row]:
    name = DATASETS[dataset]
    printed: dict[str, Printed] = dict(table("table_IV")[name])
    teacher = printed.pop("teacher")
    lines = experiment_lines(params, dataset)
    cells = common(params, teacher_runs(params, dataset), teacher, [])
    rows = [Row(f"{dataset}-resemotenet", f"{name} {TEACHER}", in_paper(cells, name, "teacher"))]
    for row, values in printed.items():
        key = next((key for key, line in lines.items() if line.row == row), None)
        others = variants(name, row, values["accuracy"])
        cells = line_cells(params, key, values, others) if key else common(params, None, values, others)
        rows.append(Row(f"{dataset}-{row}", f"{name} {row}: {values['model']}", in_paper(cells, name, row)))
    for key, line in lines.items():
        if line.row not in printed:
            rows.append(Row(f"{dataset}-{line.row}", label_of(name, line), line_cells(params, key, {}, [])))
    return rows


def label_of(dataset: str, line: Experiment) -> str:
    """Of a row that the paper does not have: a student alone by its letter, others by their names."""
    letter = line.model.removeprefix("resemotenet_").upper()
    return f"{dataset} {line.row}" if line.teacher else f"{dataset} {letter} alone"


def in_paper(cells: dict[str, Cell], dataset: str, row: str) -> dict[str, Cell]:
    return keyed_row(cells, "tables", "table_IV", dataset, row)


def line_cells(params: Params, key: str, printed: Printed, others: list[float]) -> dict[str, Cell]:
    """`others`: what else the paper prints for the accuracy."""
    line = params.experiments[key]
    runs = runs_of(params, key, line)
    cells = common(params, runs, printed, others) | {"gain": gain_cell(params, line, runs)}
    for column, parameter in (("T", "temperature"), ("alpha", "task_weight")):
        if parameter in line.method:
            cells[column] = Cell("counted", line.method[parameter], paper=printed.get(column))
    return cells


def common(params: Params, runs: Runs | None, printed: Printed, others: list[float]) -> dict[str, Cell]:
    return {
        "T": Cell("derived", paper=printed.get("T")),
        "alpha": Cell("derived", paper=printed.get("alpha")),
        "accuracy": accuracy_cell(runs, params, printed.get("accuracy"), others),
        "last_epoch": mean_cell(runs, "last_epoch.accuracy", "%"),
        "gain": Cell("derived", reason="no teacher") if runs else absent(None),
        "loss": mean_cell(runs, "loss", "nats", printed.get("loss"), LOSS_REASON if printed else None),
    }


def notes() -> list[str]:
    printed_twice = [
        f"{name} {row}: this table prints {values['accuracy']:.2f}, the paper elsewhere {' and '.join(f'{v:.2f}' for v in others)}."
        for name in DATASETS.values()
        for row, values in table("table_IV")[name].items()
        if (others := variants(name, row, values["accuracy"]))
    ]
    return [
        *printed_twice,
        "accuracy: weights chosen on validation, test read once; last epoch: the weights training ended with.",
        "teacher brings: accuracy minus that of the same student, recipe and seed without a teacher, paired over test images (over seeds from 3 on). The paper has no such rows.",
        f"Test loss: {LOSS_REASON}.",
        "alpha is the weight of the labels; the teacher's weight is 1 - alpha, for the paper gives none.",
    ]
