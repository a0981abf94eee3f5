"""A sweep's table: test accuracy over temperature and task_weight, which the paper mentions without numbers."""

from cellar.params import Params
from cellar.tables.cells import Column, Row, Table
from cellar.tables.runs import Runs, accuracy_cell, runs_of


def grid(params: Params, sweep: str) -> dict[tuple[float, float], Runs]:
    points = params.sweeps[sweep].experiments(sweep)
    return {(line.temperature, line.task_weight): runs_of(params, key, line) for key, line in points.items()}


def inputs(params: Params, sweep: str) -> list[str]:
    return sorted(path for runs in grid(params, sweep).values() for path in runs.metrics_files())


def build(params: Params, sweep: str) -> Table:
    line, points = params.sweeps[sweep], grid(params, sweep)
    columns = [Column(f"w{weight:g}", f"alpha {weight:g}", "%") for weight in line.task_weights]
    rows = [
        Row(
            f"T{t:g}",
            f"T = {t:g}",
            {f"w{w:g}": accuracy_cell(points[t, w], params) for w in line.task_weights},
        )
        for t in line.temperatures
    ]
    title = f"Sweep {sweep}: test accuracy (%) of {line.model} on {line.dataset}"
    notes = [
        "The paper says that T = 3 and alpha = 0.15 or 0.20 were best, without numbers. Differences inside the intervals are no finding."
    ]
    return Table(sweep, title, "mini_resemotenet", params.scale.model_dump(), notes, columns, rows)
