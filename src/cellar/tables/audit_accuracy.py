"""Accuracy with and without the leaked test images, of every run that names classes; from the kept predictions."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cellar import files, paths
from cellar.config import Params
from cellar.data.audit.pairs import leaked_rows, read_pairs
from cellar.errors import CellarError
from cellar.tables.audit import STUDY
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.runs import DIGITS, Runs, experiment_lines, judged_cell, runs_of, teacher_runs_of

COLUMNS = [
    Column("images", "test images", "count"),
    Column("leaked", "leaked", "count"),
    Column("accuracy", "accuracy (%)", "%"),
    Column("without", "without leaked (%)", "%"),
    Column("difference", "difference (points)", "points"),
    Column("on_leaked", "on the leaked (%)", "%"),
]
NO_IMAGE = Cell("derived", reason="there is no such test image")
CLASS_METHODS = ("labels", "logits")  # the others name no classes of test images

Hits = list[np.ndarray]  # of each seed: bool (n,), was the image named rightly


def shown(params: Params) -> list[tuple[str, Runs]]:
    """(label, runs): data set by data set, its teachers first."""
    found = []
    for dataset in params.datasets:
        for key, line in params.teachers.items():
            if line.dataset == dataset and params.is_on(line):
                found.append((f"teacher {key}", teacher_runs_of(params, key, line)))
        for key, student in experiment_lines(params, dataset).items():
            if student.method in CLASS_METHODS:
                found.append((key, runs_of(params, key, student)))
    return found


def inputs(params: Params) -> list[str]:
    runs = [one for _, one in shown(params)]
    audited = dict.fromkeys(str(paths.audit_pairs(one.dataset)) for one in runs)
    return [*audited, *(path for one in runs for path in one.prediction_files())]


def build(params: Params) -> Table:
    leaked: dict[str, np.ndarray] = {}
    rows = []
    for label, runs in shown(params):
        if runs.dataset not in leaked:
            leaked[runs.dataset] = leaked_rows(read_pairs(paths.audit_pairs(runs.dataset)))
        rows.append(Row(label.replace(" ", "-"), label, row_cells(params, runs, leaked[runs.dataset])))
    title = "Accuracy with and without the test images that are in the training data too"
    return Table("audit_accuracy", title, STUDY, params.scale.model_dump(), notes(), COLUMNS, rows)


def row_cells(params: Params, runs: Runs, leaked: np.ndarray) -> dict[str, Cell]:
    hits, seen = named_rightly(runs, leaked)
    clean, dirty = ([one[of == side] for one, of in zip(hits, seen, strict=True)] for side in (False, True))
    cells = {
        "images": Cell("counted", len(seen[0]), "count"),
        "leaked": Cell("counted", len(dirty[0]), "count"),
        "accuracy": rate_cell(params, runs, hits),
        "without": rate_cell(params, runs, clean),
        "difference": difference_cell(hits, clean),
        "on_leaked": rate_cell(params, runs, dirty),
    }
    stages = [f"audit@{runs.dataset}", *runs.stages()]
    read = [str(paths.audit_pairs(runs.dataset)), *runs.prediction_files()]
    return {key: replace(cell, stage=stages, metrics=read) for key, cell in cells.items()}


def named_rightly(runs: Runs, leaked: np.ndarray) -> tuple[Hits, Hits]:
    """Of each seed's test images: whether they were named rightly, and whether they are leaked."""
    hits, seen = [], []
    for path in runs.prediction_files():
        kept = files.read_arrays(Path(path))
        if not {"logits", "labels", "index"} <= kept.keys() or not np.isin(leaked, kept["index"]).all():
            raise CellarError(f"{path} and {paths.audit_pairs(runs.dataset)} are not of one data set; build both again")
        hits.append(kept["logits"].argmax(axis=1) == kept["labels"])
        seen.append(np.isin(kept["index"], leaked))
    return hits, seen


def rate_cell(params: Params, runs: Runs, hits: Hits) -> Cell:
    """Mean accuracy in percent over seeds, with its interval."""
    if not len(hits[0]):
        return NO_IMAGE
    return judged_cell(runs, params, [mean_rate([one]) for one in hits], [len(one) for one in hits])


def difference_cell(hits: Hits, clean: Hits) -> Cell:
    if not len(clean[0]) or len(clean[0]) == len(hits[0]):
        return NO_IMAGE
    return Cell("derived", round(mean_rate(clean) - mean_rate(hits), DIGITS), "points")


def mean_rate(hits: Hits) -> float:
    """In percent."""
    return float(np.mean([one.mean() for one in hits])) * 100


def notes() -> list[str]:
    return [
        "Leaked: a test image that is in the training or validation data too, as an exact, near or mirrored copy (docs/audit.md).",
        "Difference: accuracy without the leaked images minus accuracy with them; negative where the leak flatters.",
        "One-shot, few-shot and feature runs name no classes of test images and are left out.",
    ]
