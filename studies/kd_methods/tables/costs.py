"""Table `<pair>-costs`: what each method of a pair costs, timed by stages of their own; no trained teacher is needed."""

from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.studies import TableSpec
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.runs import Runs, experiment_keys

from ..lines import Pair, heading, pair_of, pairs, student_alone
from ..printed import KEY

CODE = ("printed.py", "lines.py", "tables")
NO_BASELINE = Cell("not_run", reason="params.yaml has no student alone of this network and recipe")
COLUMNS = [
    Column("seconds", "seconds per epoch"),
    Column("ratio", "times the student alone"),
    Column("images_per_second", "images per second"),
    Column("teacher", "teacher"),
    Column("teacher_images", "images that the teacher computes", "count"),
    Column("memory", "peak memory (MB)", "MB"),
]
TEACHER = {
    "none": "none", "logits": "cached logits", "vector": "cached vectors", "last_map": "cached maps", "live": "beside the student",
    "features": "extracted features",
}  # fmt: skip


def specs(params: Params) -> tuple[TableSpec, ...]:
    return tuple(spec(name) for name in pairs(params))


def spec(pair: str) -> TableSpec:
    return TableSpec(
        f"{pair}-costs",
        lambda params: build(params, pair_of(params, pair)),
        lambda params: inputs(params, pair_of(params, pair)),
        lambda params: shown_params(pair_of(params, pair)),
        code=CODE,
    )


def inputs(params: Params, pair: Pair) -> list[str]:
    baseline = student_alone(params, pair)
    timed = [runs for _, runs in pair.students.values()] + ([baseline] if baseline else [])
    return list(dict.fromkeys(map(measured_in, timed)))


def measured_in(runs: Runs) -> str:
    return str(paths.training_costs(runs.place))


def shown_params(pair: Pair) -> list[str]:
    lines = [experiment_keys(runs.key, "recipe") for _, runs in pair.students.values()]
    return ["scale", *(key for keys in lines for key in keys)]


def build(params: Params, pair: Pair) -> Table:
    found = {method: files.read_json(Path(measured_in(runs))) for method, (_, runs) in pair.students.items()}
    baseline = student_alone(params, pair)
    alone = files.read_json(Path(measured_in(baseline)))["seconds_per_epoch"] if baseline else None
    rows = [
        Row(method, heading(method), cells(runs, found[method], alone)) for method, (_, runs) in pair.students.items()
    ]
    title = f"Costs of training: {pair.name}"
    return Table(f"{pair.name}-costs", title, KEY, params.scale.model_dump(), notes(found), COLUMNS, rows)


def cells(runs: Runs, measured: dict[str, Any], alone: float | None) -> dict[str, Cell]:
    stage, read = [paths.stage_address("time_method", runs.key, runs.study)], [measured_in(runs)]

    def cell(value: float | int | str, unit: str | None = None) -> Cell:
        return Cell("timed", value, unit, stage=stage, metrics=read)

    seconds = measured["seconds_per_epoch"]
    return {
        "seconds": cell(round(seconds, 2)),
        "ratio": cell(round(seconds / alone, 2)) if alone else NO_BASELINE,
        "images_per_second": cell(round(measured["images_per_second"], 1)),
        "teacher": cell(TEACHER[measured["teacher"]]),
        "teacher_images": cell(measured["teacher_images"], "count"),
        "memory": cell(measured["peak_memory_mb"], "MB"),
    }


def notes(found: dict[str, dict[str, Any]]) -> list[str]:
    first = next(iter(found.values()))
    machines = dict.fromkeys(
        f"{one['device_name']}, {one['threads']} threads, {one['precision']}" for one in found.values()
    )
    return [
        f"Protocol: {first['protocol']}.",
        f"Machine: {'; '.join(machines)}.",
        "seconds per epoch: mean over the recipe's epochs, of methods with two stages over both.",
        "images that the teacher computes: in the whole training; of cached logits at most, and once for all methods and seeds together.",
    ]
