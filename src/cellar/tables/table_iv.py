"""Table IV: the experiments, with what the paper left out: the same students alone, and what the teacher brings."""

from typing import Any

from cellar import paths
from cellar.config import Experiment, Params
from cellar.tables import reference
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.runs import (
    Runs,
    absent,
    accuracy_cell,
    experiment_lines,
    gain_cell,
    gain_files,
    mean_cell,
    runs_of,
    teacher_runs,
)

DATASETS = {"fer2013": "FER2013", "raf_db": "RAF-DB"}
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


def inputs(params: Params) -> list[str]:
    needed = [str(paths.REFERENCE)]
    for dataset in DATASETS:
        teacher = teacher_runs(params, dataset)
        needed += teacher.metrics_files() if teacher else []
        for key, line in experiment_lines(params, dataset).items():
            runs = runs_of(params, key, line)
            needed += runs.metrics_files() + gain_files(params, line, runs)
    return sorted(set(needed))


def param_keys(params: Params) -> list[str]:
    """Rows, T and alpha are shown, so they are inputs; accuracies reach the table through the metrics."""
    keys = ["scale"]
    for dataset in DATASETS:
        for key, line in experiment_lines(params, dataset).items():
            shown = ["row", "temperature", "task_weight"] if line.teacher else ["row"]
            keys += [f"experiments.{key}.{name}" for name in shown]
    return keys


def build(params: Params) -> Table:
    rows = [row for dataset, printed in DATASETS.items() for row in dataset_rows(params, dataset, printed)]
    title = "Table IV. Experiments on FER2013 and RAF-DB"
    return Table("table_iv", title, "mini_resemotenet", params.scale.model_dump(), notes(), COLUMNS, rows)


def dataset_rows(params: Params, dataset: str, printed_name: str) -> list[Row]:
    printed: dict[str, dict[str, Any]] = dict(reference.table("table_IV")[printed_name])
    teacher = printed.pop("teacher")
    rows = [
        Row(
            f"{dataset}-resemotenet",
            f"{printed_name} {TEACHER}",
            common(params, teacher_runs(params, dataset), teacher, []),
        )
    ]
    for row, values in printed.items():
        found = next(((k, line) for k, line in experiment_lines(params, dataset).items() if line.row == row), None)
        label = f"{printed_name} {row}: {values['model']}"
        rows.append(
            Row(
                f"{dataset}-{row}",
                label,
                line_cells(params, found, values, reference.variants(printed_name, row, values["accuracy"])),
            )
        )
    for key, line in experiment_lines(params, dataset).items():
        if line.row not in printed:
            alone = (
                f"{printed_name} {line.model.removeprefix('resemotenet_').upper()} alone"
                if not line.teacher
                else f"{printed_name} {line.row}"
            )
            rows.append(Row(f"{dataset}-{line.row}", alone, line_cells(params, (key, line), {}, [])))
    return rows


def line_cells(
    params: Params, found: tuple[str, Experiment] | None, printed: dict[str, Any], variants: list[float]
) -> dict[str, Cell]:
    if found is None:
        return common(params, None, printed, variants)
    key, line = found
    runs = runs_of(params, key, line)
    cells = common(params, runs, printed, variants) | {"gain": gain_cell(params, line, runs)}
    if line.teacher:
        cells["T"] = Cell("counted", line.temperature, paper=printed.get("T"))
        cells["alpha"] = Cell("counted", line.task_weight, paper=printed.get("alpha"))
    return cells


def common(params: Params, runs: Runs | None, printed: dict[str, Any], variants: list[float]) -> dict[str, Cell]:
    none = Cell("derived", reason="no teacher") if runs else absent(None)
    return {
        "T": Cell("derived", paper=printed.get("T")),
        "alpha": Cell("derived", paper=printed.get("alpha")),
        "accuracy": accuracy_cell(runs, params, printed.get("accuracy"), variants),
        "last_epoch": mean_cell(runs, "last_epoch.accuracy", "%"),
        "gain": none,
        "loss": mean_cell(runs, "loss", "nats", printed.get("loss"), LOSS_REASON if printed else None),
    }


def notes() -> list[str]:
    printed_twice = [
        f"{name} {row}: this table prints {values['accuracy']:.2f}, the paper elsewhere {' and '.join(f'{v:.2f}' for v in others)}."
        for name in DATASETS.values()
        for row, values in reference.table("table_IV")[name].items()
        if (others := reference.variants(name, row, values["accuracy"]))
    ]
    return [
        *printed_twice,
        "accuracy: weights chosen on validation, test read once; last epoch: the weights training ended with.",
        "teacher brings: accuracy minus that of the same student, recipe and seed without a teacher, paired over test images (over seeds from 3 on). The paper has no such rows.",
        f"Test loss: {LOSS_REASON}.",
        "alpha is the weight of the labels; the teacher's weight is 1 - alpha, for the paper gives none.",
    ]
