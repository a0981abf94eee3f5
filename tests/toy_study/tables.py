"""Table 1: the student alone and with hints."""

from cellar import files, paths
from cellar.config import Params
from cellar.tables import printed_values, verdicts
from cellar.tables.cells import Cell, Column, Row, Table, keyed
from cellar.tables.run_cells import accuracy_cell
from cellar.tables.runs import experiment_keys, experiment_lines, student_runs

KEY, DATASET = "toy_study", "cifar100"
ROWS = {"alone": "Tiny", "hints": "Tiny with hints"}  # row of params.yaml -> as printed


def inputs(params: Params) -> list[str]:
    runs = [student_runs(params, DATASET, row) for row in ROWS]
    metrics = [path for one in runs if one for path in one.metrics_files()]
    return [str(paths.printed(KEY)), str(paths.model_counts(KEY)), *metrics]


def histories(params: Params) -> list[str]:
    runs = [student_runs(params, DATASET, row) for row in ROWS]
    return [str(paths.trained(one.kind, one.place, one.seeds[0]) / "history.csv") for one in runs if one]


def shown_params(params: Params) -> list[str]:
    return ["scale", *(key for name in experiment_lines(params, DATASET) for key in experiment_keys(name, "row"))]


def build(params: Params) -> Table:
    printed, counted = printed_values.paper(KEY).table("table_1")["rows"], files.read_json(paths.model_counts(KEY))
    rows = []
    for row, label in ROWS.items():
        cells = {
            "accuracy": accuracy_cell(student_runs(params, DATASET, row), params, printed[label]["accuracy"]),
            "parameters": parameters(counted["tiny"]["parameters"], printed[label]["parameters"]),
        }
        keys = ("tables", "table_1", "rows", label)
        rows.append(Row(row, label, {column: keyed(cell, *keys, column) for column, cell in cells.items()}))
    columns = [Column("accuracy", "accuracy (%)", "%"), Column("parameters", "parameters", "count")]
    return Table("table_1", "Table 1. Warm hints", KEY, params.scale.model_dump(), [], columns, rows)


def parameters(ours: int, printed: int) -> Cell:
    verdict, reason = verdicts.of_count(ours, printed)
    stage, metrics = [paths.stage_address("count_models", "", KEY)], [str(paths.model_counts(KEY))]
    return Cell("counted", ours, "count", printed, None, verdict, reason, stage=stage, metrics=metrics)
