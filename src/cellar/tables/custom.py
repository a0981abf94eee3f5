"""custom_<dataset>: a data set of the user's own, its teacher and every experiment."""

from cellar.params import Params
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.reference import CUSTOM, study_of
from cellar.tables.runs import (
    Runs,
    accuracy_cell,
    experiment_lines,
    gain_cell,
    gain_files,
    mean_cell,
    runs_of,
    teacher_runs,
)

COLUMNS = [
    Column("accuracy", "accuracy (%)", "%"),
    Column("last_epoch", "last epoch (%)", "%"),
    Column("f1", "macro F1 (%)", "%"),
    Column("loss", "test loss", "nats"),
    Column("gain", "teacher brings (points)", "points"),
]


def datasets(params: Params) -> list[str]:
    return [name for name, section in params.datasets.items() if section.enabled and study_of(name) == CUSTOM]


def inputs(params: Params, dataset: str) -> list[str]:
    teacher = teacher_runs(params, dataset)
    needed = set(teacher.metrics_files()) if teacher else set()
    for key, line in experiment_lines(params, dataset).items():
        runs = runs_of(params, key, line)
        needed |= {*runs.metrics_files(), *gain_files(params, line, runs)}
    return sorted(needed)


def build(params: Params, dataset: str) -> Table:
    rows = []
    teacher = teacher_runs(params, dataset)
    if teacher:
        rows.append(
            Row(
                teacher.model,
                f"teacher {teacher.model}",
                cells(params, teacher, Cell("derived", reason="no teacher")),
            )
        )
    for key, line in experiment_lines(params, dataset).items():
        runs = runs_of(params, key, line)
        rows.append(Row(line.row, f"{line.row}: {line.model}", cells(params, runs, gain_cell(params, line, runs))))
    notes = ["teacher brings: accuracy minus that of the same student, recipe and seed without a teacher."]
    title = f"Data set {dataset}"
    return Table(f"custom_{dataset}", title, CUSTOM, params.scale.model_dump(), notes, COLUMNS, rows)


def cells(params: Params, runs: Runs, gain: Cell) -> dict[str, Cell]:
    return {
        "accuracy": accuracy_cell(runs, params),
        "last_epoch": mean_cell(runs, "last_epoch.accuracy", "%"),
        "f1": mean_cell(runs, "macro.f1", "%"),
        "loss": mean_cell(runs, "loss", "nats"),
        "gain": gain,
    }
