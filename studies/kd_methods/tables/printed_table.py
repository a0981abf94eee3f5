"""Each of the 22 printed tables, row by row, with our accuracies of the same pairs and methods."""

import re
from collections.abc import Mapping
from functools import partial

from cellar import paths
from cellar.config import Params
from cellar.studies import TableSpec
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.runs import Runs

from ..lines import Pair, pairs, student_alone
from ..printed import ALONE, KEY, METHODS, TEACHER, best_rows, own_pair, paper, tables
from .cells import best_on_test, history_files, last_epoch, printed_alone

CODE = ("printed.py", "lines.py", "trainings.py", "tables")
NOT_LISTED = "its line is not in params.yaml"
NO_METHOD = "not among the methods here"


def specs(params: Params) -> tuple[TableSpec, ...]:
    return tuple(spec(table) for table in tables() if is_known(params, table))


def spec(table: str) -> TableSpec:
    return TableSpec(
        table,
        partial(build, table=table),
        partial(inputs, table=table),
        judged=partial(judged, table=table),
        code=CODE,
    )


def is_known(params: Params, table: str) -> bool:
    """Where params.yaml lists one of its pairs and methods."""
    return any(runs.kind == "students" for runs in judged(params, table))


def inputs(params: Params, table: str) -> list[str]:
    read = {path for runs in judged(params, table) for path in (*runs.metrics_files(), *history_files(runs))}
    return sorted({str(paths.printed(KEY)), *read})


def judged(params: Params, table: str) -> list[Runs]:
    known = pairs(params)
    rows = tables()[table]["rows"]
    found = [runs_beside(params, known, label, pair) for label, row in rows.items() for pair in row]
    return list(dict.fromkeys(runs for runs in found if runs))


def build(params: Params, table: str) -> Table:
    rows, known = tables()[table]["rows"], pairs(params)
    printed = dict.fromkeys(pair for row in rows.values() for pair in row)
    columns = [Column(own_pair(pair), paper().worded(pair), "%") for pair in printed]
    lines = [
        Row(row_id(label), label, {own_pair(pair): cell(params, known, table, label, pair) for pair in printed})
        for label in rows
    ]
    title = f"{paper().worded(table)}: {tables()[table]['metric']}, CIFAR-100"
    return Table(table, title, KEY, params.scale.model_dump(), notes(table), columns, lines)


def cell(params: Params, known: Mapping[str, Pair], table: str, label: str, pair: str) -> Cell:
    place = ("tables", table, "rows", label, pair)
    if pair not in tables()[table]["rows"][label]:
        return Cell("reported")
    runs = runs_beside(params, known, label, pair)
    if runs is None:
        return printed_alone(place, NOT_LISTED if label in METHODS or label == TEACHER else NO_METHOD)
    measured = best_on_test if label in best_rows(table) else last_epoch
    return measured(params, runs, place, tables()[table].get("protocol"))


def runs_beside(params: Params, known: Mapping[str, Pair], label: str, pair: str) -> Runs | None:
    """Ours of a printed row and pair."""
    own, method = known.get(own_pair(pair)), METHODS.get(label, "")
    if own is None or not own.is_printed:
        return None
    if label == TEACHER:
        return own.teacher
    if method == ALONE:
        return student_alone(params, own)
    return own.students[method][1] if method in own.students else None


def row_id(label: str) -> str:
    """A method's name in params.yaml, else the label as a name: `KD++` is kdpp."""
    return METHODS.get(label) or re.sub(r"\W+", "_", label.lower().replace("++", "pp")).strip("_")


def notes(table: str) -> list[str]:
    found = tables()[table]
    source = found["source"]
    where = f"{source['repo']} at {source['commit'][:8]}, {source['path']}" if "repo" in source else source["source"]
    of_best = f"{', '.join(best_rows(table))}: at the best epoch on the test set. " if best_rows(table) else ""
    protocol = [f"Another protocol: {found['protocol']}."] if "protocol" in found else []
    return [f"Printed in {where}.", f"{of_best}All other rows: at the last epoch.", *protocol, *found.get("notes", [])]
