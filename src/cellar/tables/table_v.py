"""Table V: what teacher and students cost, beside their accuracy. The timed cells are this machine's."""

from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import reference, verdicts
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.runs import DIGITS, Runs, absent, accuracy_cell, student_runs, teacher_runs

DATASETS = {"fer2013": "FER2013", "raf_db": "RAF-DB"}
COLUMNS = {  # column -> printed name, row of experiments (None: the teacher), model
    "resemotenet": ("ResEmoteNet", None, "resemotenet"),
    "E1": ("E1A", "E1", "resemotenet_a"),
    "E4": ("E4B", "E4", "resemotenet_b"),
}
MEMORY_REASON = (
    "the paper's memory is no single measure: one network has 10,102.94 MB on FER2013 and 838.19 MB on RAF-DB"
)
TIME_REASON = "another machine, and the paper states neither batch nor input size"


def runs(params: Params, dataset: str, row: str | None) -> Runs | None:
    return teacher_runs(params, dataset) if row is None else student_runs(params, dataset, row)


def inputs(params: Params) -> list[str]:
    needed = {str(paths.REFERENCE), str(paths.MODEL_COUNTS)}
    for dataset in DATASETS:
        for _, row, _ in COLUMNS.values():
            found = runs(params, dataset, row)
            if found:
                needed |= {*found.metrics_files(), str(paths.costs(dataset, found.model))}
    return sorted(needed)


def param_keys(params: Params) -> list[str]:
    return ["scale", "costs"]


def build(params: Params) -> Table:
    counts = files.read_json(paths.MODEL_COUNTS)
    rows = [
        Row(
            "model_size_mb",
            "model size (MB)",
            {c: size_cell(counts[model], printed) for c, (printed, _, model) in COLUMNS.items()},
        )
    ]
    protocol = ""
    for dataset, name in DATASETS.items():
        measured = {column: cost_of(params, dataset, row) for column, (_, row, _) in COLUMNS.items()}
        protocol = next((cost["protocol"] for cost in measured.values() if cost), protocol)
        rows += dataset_rows(params, dataset, name, measured)
    columns = [
        Column("resemotenet", "ResEmoteNet"),
        Column("E1", "Student Model (E1A)"),
        Column("E4", "Student Model (E4B)"),
    ]
    notes = [
        "Sizes are parameters x 4 / 2^20, the convention of this table; Table I uses 10^6.",
        f"Protocol of time and memory: {protocol}.",
    ]
    notes += [f"Memory: {MEMORY_REASON}.", f"Time: {TIME_REASON}."]
    title = "Table V. Costs of teacher and students"
    return Table("table_v", title, "mini_resemotenet", params.scale.model_dump(), notes, columns, rows)


def printed_value(row: str, column: str) -> float:
    value: float = reference.table("table_V")["rows"][row][column]
    return value


def size_cell(counted: dict[str, float], column: str) -> Cell:
    printed = printed_value("model_size_mb", column)
    verdict, reason = verdicts.of_count(counted["mb_binary"], printed)
    files_read = [str(paths.MODEL_COUNTS)]
    return Cell(
        "counted",
        counted["mb_binary"],
        "MB",
        printed,
        None,
        verdict,
        reason,
        stage=["count_models"],
        metrics=files_read,
    )


def cost_of(params: Params, dataset: str, row: str | None) -> dict[str, Any] | None:
    found = runs(params, dataset, row)
    return (
        {**files.read_json(paths.costs(dataset, found.model)), "file": str(paths.costs(dataset, found.model))}
        if found
        else None
    )


def dataset_rows(params: Params, dataset: str, name: str, costs: dict[str, dict[str, Any] | None]) -> list[Row]:
    few, many = (str(bound(params.costs.batch_sizes)) for bound in (min, max))
    accuracy = {}
    for column, (printed, row, _) in COLUMNS.items():
        value = printed_value(f"{name}.accuracy", printed)
        others = reference.variants(name, row or "teacher", value)
        accuracy[column] = accuracy_cell(runs(params, dataset, row), params, value, others)
    cells = {
        "accuracy": (f"{name} accuracy (%)", accuracy),
        "memory_mb": (f"{name} peak memory (MB)", timed(costs, f"{name}.memory_mb", lambda c: c["peak_memory_mb"], "MB", MEMORY_REASON)),
        "avg_inference_ms": (
            f"{name} time per image, batch {many} (ms)",
            timed(costs, f"{name}.avg_inference_ms", lambda c: c["latency"][many]["median_ms_per_image"], "ms", TIME_REASON),
        ),
        "latency_ms": (f"{name} time per image, batch {few}, median (ms)", timed(costs, None, lambda c: c["latency"][few]["median_ms_per_image"], "ms", None)),
        "latency_p95_ms": (f"{name} time per image, batch {few}, 95th percentile (ms)", timed(costs, None, lambda c: c["latency"][few]["p95_ms_per_batch"] / int(few), "ms", None)),
    }  # fmt: skip
    return [Row(f"{dataset}_{key}", label, row) for key, (label, row) in cells.items()]


def timed(
    costs: dict[str, dict[str, Any] | None],
    printed_row: str | None,
    value: Any,
    unit: str,
    reason: str | None,
) -> dict[str, Cell]:
    cells = {}
    for column, cost in costs.items():
        printed = printed_value(printed_row, COLUMNS[column][0]) if printed_row else None
        if cost is None:
            cells[column] = absent(printed)
            continue
        verdict: verdicts.Verdict | None = "not comparable" if printed is not None else None
        stage = f"measure_costs@{cost['dataset']}-{cost['model']}"
        cells[column] = Cell(
            "timed",
            round(value(cost), DIGITS),
            unit,
            printed,
            None,
            verdict,
            reason,
            stage=[stage],
            metrics=[cost["file"]],
        )
    return cells
