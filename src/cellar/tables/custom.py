"""Table custom_<dataset>: a data set of the user's own, its teachers and all its experiments."""

from cellar import studies
from cellar.config import Params
from cellar.studies import CUSTOM
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import accuracy_cell, gain_cell, gain_files, mean_cell
from cellar.tables.runs import Runs, experiment_lines, runs_of, teacher_runs_of

COLUMNS = [
    Column("accuracy", "accuracy (%)", "%"),
    Column("last_epoch", "last epoch (%)", "%"),
    Column("f1", "macro F1 (%)", "%"),
    Column("loss", "test loss", "nats"),
    Column("gain", "teacher brings (points)", "points"),
]


def datasets(params: Params) -> list[str]:
    """Those that the study trains on and that its paper does not have; all of a study without a paper."""
    study = studies.known().get(params.study)
    of_paper = study.datasets if study else ()
    own = [name for name, section in params.datasets.items() if section.enabled and name not in of_paper]
    return [name for name in own if teachers(params, name) or experiment_lines(params, name)]


def teachers(params: Params, dataset: str) -> dict[str, Runs]:
    """Those of the data set that run, in the order of params.yaml."""
    lines = {key: line for key, line in params.teachers.items() if line.dataset == dataset and params.is_on(line)}
    return {key: teacher_runs_of(params, key, line) for key, line in lines.items()}


def inputs(params: Params, dataset: str) -> list[str]:
    needed = {path for teacher in teachers(params, dataset).values() for path in teacher.metrics_files()}
    for key, line in experiment_lines(params, dataset).items():
        runs = runs_of(params, key, line)
        needed |= {*runs.metrics_files(), *gain_files(params, line, runs)}
    return sorted(needed)


def shown_params(params: Params, dataset: str) -> list[str]:
    """Row names come from params.yaml alone."""
    return ["scale", *(f"experiments.{key}.row" for key in experiment_lines(params, dataset))]


def build(params: Params, dataset: str) -> Table:
    rows = [
        Row(f"teacher-{key}", f"teacher {key}: {runs.model}", cells(params, runs, Cell("derived", reason="no teacher")))
        for key, runs in teachers(params, dataset).items()
    ]
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
