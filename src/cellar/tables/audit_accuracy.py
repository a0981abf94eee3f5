"""Table `audit_accuracy`: accuracy with and without the leaked test images, from the saved predictions of every
classifier."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from cellar import files, paths
from cellar.config import Config, Params
from cellar.data.audit.pairs import leaked_rows, read_pairs
from cellar.errors import CellarError
from cellar.studies import AUDIT
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import DIGITS, judged_cell
from cellar.tables.runs import Runs, classifies, experiment_lines, runs_of, teacher_runs_of

COLUMNS = [
    Column("images", "test images", "count"),
    Column("leaked", "leaked", "count"),
    Column("accuracy", "accuracy (%)", "%"),
    Column("without", "without leaked (%)", "%"),
    Column("difference", "difference (points)", "points"),
    Column("on_leaked", "on the leaked (%)", "%"),
]
NO_IMAGE = Cell("derived", reason="there is no such test image")
Hits = list[np.ndarray]  # for each seed: bool (n,), whether the image was classified correctly


def shown(config: Config) -> list[tuple[str, Runs, Params]]:
    """(label, runs, study) of every classifier: data set by data set, its teachers first."""
    rows: list[tuple[str, Runs, Params]] = []
    for dataset in config.datasets:
        for key, params in config.declaring("teachers").items():
            line = params.teachers[key]
            if line.dataset == dataset and params.is_on(line):
                rows.append((f"teacher {key}", teacher_runs_of(params, key, line), params))
        for params in config.all_params():
            lines = experiment_lines(params, dataset).items()
            rows += [(key, runs_of(params, key, line), params) for key, line in lines if classifies(params, line)]
    return unique(rows)


def unique(rows: list[tuple[str, Runs, Params]]) -> list[tuple[str, Runs, Params]]:
    """An experiment's name is its study's own: where two studies use one, the study stands before it."""
    uses = Counter(label for label, _, _ in rows)
    return [(label if uses[label] == 1 else runs.place, runs, params) for label, runs, params in rows]


def inputs(config: Config) -> list[str]:
    listed = [runs for _, runs, _ in shown(config)]
    audited = dict.fromkeys(str(paths.audit_pairs(runs.dataset)) for runs in listed)
    return [*audited, *(path for runs in listed for path in runs.prediction_files())]


def build(config: Config) -> Table:
    leaked: dict[str, np.ndarray] = {}
    rows = []
    for label, runs, params in shown(config):
        if runs.dataset not in leaked:
            leaked[runs.dataset] = leaked_rows(read_pairs(paths.audit_pairs(runs.dataset)))
        rows.append(Row(label.replace(" ", "-"), label, row_cells(params, runs, leaked[runs.dataset])))
    title = "Accuracy with and without the test images that are in the training data too"
    return Table("audit_accuracy", title, AUDIT, config.scale.model_dump(), notes(), COLUMNS, rows)


def row_cells(params: Params, runs: Runs, leaked: np.ndarray) -> dict[str, Cell]:
    hits, seen = correct(runs, leaked)
    clean, dirty = ([one[of == side] for one, of in zip(hits, seen, strict=True)] for side in (False, True))
    cells = {
        "images": Cell("counted", len(seen[0]), "count"),
        "leaked": Cell("counted", len(dirty[0]), "count"),
        "accuracy": rate_cell(params, runs, hits),
        "without": rate_cell(params, runs, clean),
        "difference": difference_cell(hits, clean),
        "on_leaked": rate_cell(params, runs, dirty),
    }
    stages = [paths.stage_address("audit", runs.dataset), *runs.stages()]
    read = [str(paths.audit_pairs(runs.dataset)), *runs.prediction_files()]
    return {key: replace(cell, stage=stages, metrics=read) for key, cell in cells.items()}


def correct(runs: Runs, leaked: np.ndarray) -> tuple[Hits, Hits]:
    """For each seed's test images: whether they were classified correctly, and whether they are leaked."""
    hits, seen = [], []
    for path in runs.prediction_files():
        saved = files.read_arrays(Path(path))
        if not {"logits", "labels", "index"} <= saved.keys() or not np.isin(leaked, saved["index"]).all():
            raise CellarError(f"{path} and {paths.audit_pairs(runs.dataset)} are not of one data set; build both again")
        hits.append(saved["logits"].argmax(axis=1) == saved["labels"])
        seen.append(np.isin(saved["index"], leaked))
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
