"""Table V: what teacher and students cost, beside their accuracy. The timed cells are of this machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import verdicts
from cellar.tables.cells import Cell, Column, Row, Table, keyed
from cellar.tables.run_cells import DIGITS, absent, accuracy_cell
from cellar.tables.runs import Runs, row_runs

from ..printed import DATASETS, KEY, table, variants

COLUMNS = {  # column -> printed name, row of experiments (None: the teacher), model
    "resemotenet": ("ResEmoteNet", None, "resemotenet"),
    "E1": ("E1A", "E1", "resemotenet_a"),
    "E4": ("E4B", "E4", "resemotenet_b"),
}
MEMORY_REASON = (
    "the paper's memory is no single measure: one network has 10,102.94 MB on FER2013 and 838.19 MB on RAF-DB"
)
TIME_REASON = "another machine, and the paper states neither batch nor input size"

Costs = dict[str, dict[str, Any] | None]  # column -> what measure_costs wrote, and its file; None: not measured


def inputs(params: Params) -> list[str]:
    needed = {str(paths.printed(KEY)), str(paths.model_counts(KEY))}
    for dataset in DATASETS:
        for _, row, _ in COLUMNS.values():
            runs = row_runs(params, dataset, row)
            if runs:
                needed |= {*runs.metrics_files(), str(paths.costs(dataset, runs.model))}
    return sorted(needed)


def judged(params: Params) -> Iterator[Runs]:
    for dataset in DATASETS:
        for _, row, _ in COLUMNS.values():
            if runs := row_runs(params, dataset, row):
                yield runs


def shown_params(params: Params) -> list[str]:
    return ["scale", "costs"]


def build(params: Params) -> Table:
    counts = files.read_json(paths.model_counts(KEY))
    sizes = {column: size_cell(counts[model], printed) for column, (printed, _, model) in COLUMNS.items()}
    rows = [Row("model_size_mb", "model size (MB)", sizes)]
    protocol = ""
    for dataset in DATASETS:
        costs = {column: cost_of(params, dataset, row) for column, (_, row, _) in COLUMNS.items()}
        protocol = next((cost["protocol"] for cost in costs.values() if cost), protocol)
        rows += [accuracy_row(params, dataset), *cost_rows(params, dataset, costs)]
    columns = [
        Column("resemotenet", "ResEmoteNet"),
        Column("E1", "Student Model (E1A)"),
        Column("E4", "Student Model (E4B)"),
    ]
    notes = [
        "Sizes are parameters x 4 / 2^20, the convention of this table; Table I uses 10^6.",
        f"Protocol of time and memory: {protocol}.",
        f"Memory: {MEMORY_REASON}.",
        f"Time: {TIME_REASON}.",
    ]
    title = "Table V. Costs of teacher and students"
    return Table("table_v", title, KEY, params.scale.model_dump(), notes, columns, rows)


def printed_value(row: str, column: str) -> float:
    value: float = table("table_V")["rows"][row][column]
    return value


def in_paper(cell: Cell, row: str, column: str) -> Cell:
    return keyed(cell, "tables", "table_V", "rows", row, column)


def size_cell(counted: dict[str, float], column: str) -> Cell:
    printed = printed_value("model_size_mb", column)
    verdict, reason = verdicts.of_count(counted["mb_binary"], printed)
    cell = Cell(
        "counted", counted["mb_binary"], "MB", printed, None, verdict, reason, stage=[paths.stage_address("count_models", "", KEY)],
        metrics=[str(paths.model_counts(KEY))],
    )  # fmt: skip
    return in_paper(cell, "model_size_mb", column)


def cost_of(params: Params, dataset: str, row: str | None) -> dict[str, Any] | None:
    runs = row_runs(params, dataset, row)
    if runs is None:
        return None
    file = paths.costs(dataset, runs.model)
    return {**files.read_json(file), "file": str(file)}


def accuracy_row(params: Params, dataset: str) -> Row:
    name, cells = DATASETS[dataset], {}
    for column, (printed, row, _) in COLUMNS.items():
        value = printed_value(f"{name}.accuracy", printed)
        others = variants(name, row or "teacher", value)
        cell = accuracy_cell(row_runs(params, dataset, row), params, value, others)
        cells[column] = in_paper(cell, f"{name}.accuracy", printed)
    return Row(f"{dataset}_accuracy", f"{name} accuracy (%)", cells)


@dataclass(frozen=True)
class Measure:
    """A row of Table V that is timed: `value` reads it from what measure_costs wrote."""

    id: str
    label: str
    unit: str
    value: Callable[[dict[str, Any]], float]
    reason: str | None = None  # why it is not comparable with the printed one; None: the paper has no such row


def measures(few: int, many: int) -> list[Measure]:
    """`few`, `many`: the smallest and the largest batch."""

    def latency(batch: int, key: str) -> Callable[[dict[str, Any]], float]:
        return lambda cost: cost["latency"][str(batch)][key]

    image, percentile = f"time per image, batch {few}", latency(few, "p95_ms_per_batch")
    return [
        Measure("memory_mb", "peak memory (MB)", "MB", lambda cost: cost["peak_memory_mb"], MEMORY_REASON),
        Measure("avg_inference_ms", f"time per image, batch {many} (ms)", "ms", latency(many, "median_ms_per_image"), TIME_REASON),
        Measure("latency_ms", f"{image}, median (ms)", "ms", latency(few, "median_ms_per_image")),
        Measure("latency_p95_ms", f"{image}, 95th percentile (ms)", "ms", lambda cost: percentile(cost) / few),
    ]  # fmt: skip


def cost_rows(params: Params, dataset: str, costs: Costs) -> list[Row]:
    name, sizes = DATASETS[dataset], params.costs.batch_sizes
    return [
        Row(f"{dataset}_{measure.id}", f"{name} {measure.label}", timed(measure, name, costs))
        for measure in measures(min(sizes), max(sizes))
    ]


def timed(measure: Measure, dataset: str, costs: Costs) -> dict[str, Cell]:
    cells, row = {}, f"{dataset}.{measure.id}"
    for column, cost in costs.items():
        printed = printed_value(row, COLUMNS[column][0]) if measure.reason else None
        verdict: verdicts.Verdict | None = "not comparable" if printed is not None else None
        cell = absent(printed)
        if cost is not None:
            cell = Cell(
                "timed", round(measure.value(cost), DIGITS), measure.unit, printed, None, verdict, measure.reason,
                stage=[paths.stage_address("measure_costs", f"{cost['dataset']}-{cost['model']}")], metrics=[cost["file"]],
            )  # fmt: skip
        cells[column] = in_paper(cell, row, COLUMNS[column][0])
    return cells
