"""Table 2: teacher, student alone and student with KD, and the gain from KD.

The report's sd is that of the population (ddof 0); intervals need the sample's (ddof 1), so both are shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cellar import paths
from cellar.config import Experiment, Params
from cellar.metrics import intervals
from cellar.tables import comparable, verdicts
from cellar.tables.cells import Cell, Column, Row, Table, keyed, keyed_row
from cellar.tables.run_cells import DIGITS, absent, accuracy_cell, gain_cell, gain_files, mean_cell
from cellar.tables.runs import Runs, baseline_of, experiment_keys, experiment_lines, runs_of, teacher_runs

from ..printed import DATASET, KEY, ROWS, claimed_gain, paper, table

KD_SETTINGS = ("method.temperature", "method.task_weight", "method.distill_weight")
COLUMNS = [
    Column("accuracy_mean", "accuracy (%)", "%"),
    Column("accuracy_sd", "sd, ddof 0", "%"),
    Column("accuracy_sd_sample", "sd, ddof 1", "%"),
    Column("runs", "runs", "count"),
    Column("gain", "teacher brings (points)", "points"),
    Column("auc", "macro OvR AUC (%)", "%"),
    Column("f1", "macro F1 (%)", "%"),
    Column("loss", "test loss", "nats"),
]
TEACHER = "resnet32x4"
SIMKD_TEACHER = 79.42  # resnet32x4 in SimKD (arXiv 2203.14001) and RepDistiller, whose checkpoint the report names

Listed = tuple[Runs, Experiment | None]  # a row's runs, and the experiment of a student


def inputs(params: Params) -> list[str]:
    needed = {str(paths.printed(KEY))}
    for runs, line in listed_rows(params).values():
        needed |= {*runs.metrics_files(), *runs.details_files(), *(gain_files(params, line, runs) if line else [])}
    return sorted(needed)


def judged(params: Params) -> list[Runs]:
    return [runs for row, (runs, _) in listed_rows(params).items() if row in ROWS]


def shown_params(params: Params) -> list[str]:
    """Rows and the way of distilling are shown, so they are inputs; all else reaches the table through the metrics."""
    keys = ["scale"]
    for key, line in experiment_lines(params, DATASET).items():
        keys += experiment_keys(key, "row", *(KD_SETTINGS if line.teacher else ()))
    return keys


def build(params: Params) -> Table:
    listed = listed_rows(params)
    ids = list(dict.fromkeys([*ROWS, *listed]))
    rows = [Row(row, label(row, listed), row_cells(params, row, listed.get(row))) for row in ids]
    title = "Table 2. CIFAR-100: accuracy of teacher and students on the test set"
    notes = [*notes_on_results(listed, rows), *notes_on_report(listed)]
    return Table("cifar100_table_2", title, KEY, params.scale.model_dump(), notes, COLUMNS, rows)


def listed_rows(params: Params) -> dict[str, Listed]:
    """Row id -> its runs: the teacher, then the students in the order of params.yaml, a user's own among them."""
    teacher = teacher_runs(params, DATASET)
    first: dict[str, Listed] = {"teacher": (teacher, None)} if teacher else {}
    lines = experiment_lines(params, DATASET).items()
    return first | {line.row: (runs_of(params, key, line), line) for key, line in lines}


def label(row: str, listed: Mapping[str, Listed]) -> str:
    """The printed one; of a teacher that is another network here, and of a user's own row, with its model."""
    printed, model = ROWS.get(row, row), listed[row][0].model if row in listed else TEACHER
    if row == "teacher":
        return printed if model == TEACHER else printed.replace(")", f"; here {model})")
    return printed if row in ROWS else f"{row}: {model}"


def row_cells(params: Params, row: str, listed: Listed | None) -> dict[str, Cell]:
    printed: dict[str, Any] = table("table_2")["rows"].get(ROWS.get(row), {})
    runs, line = listed or (None, None)
    accuracy = accuracy_cell(runs, params, printed.get("accuracy_mean"))
    cells = {
        "accuracy_mean": accuracy,
        "accuracy_sd": spread_cell(runs, 0, printed.get("accuracy_sd")),
        "accuracy_sd_sample": spread_cell(runs, 1),
        "runs": runs_cell(runs, printed.get("runs")),
        "gain": gain(params, row, runs, line),
        "auc": auc_cell(runs),
        "f1": mean_cell(runs, "macro.f1", "%"),
        "loss": mean_cell(runs, "loss", "nats"),
    }
    return keyed_row(cells, "tables", "table_2", "rows", ROWS.get(row, row)) | {
        "gain": keyed(cells["gain"], "derived_claims", "kd_gain")
    }


def spread_cell(runs: Runs | None, ddof: int, printed: float | None = None) -> Cell:
    """Never judged: of five runs a standard deviation is hardly known."""
    if runs is None:
        return absent(printed)
    sd = intervals.spread([score["accuracy"] for score in runs.read()], ddof)
    verdict: verdicts.Verdict | None = None if printed is None else "not comparable"
    reason = "one run has no spread" if sd is None else f"ddof {ddof}; of so few runs a spread is shown, not judged"
    value = None if sd is None else round(sd, DIGITS)
    return Cell(
        "derived", value, "%", printed, None, verdict, reason, stage=runs.stages(), metrics=runs.metrics_files()
    )


def runs_cell(runs: Runs | None, printed: int | None) -> Cell:
    return absent(printed) if runs is None else Cell("counted", len(runs.seeds), "count", printed)


def auc_cell(runs: Runs | None) -> Cell:
    if runs and any(score["auc"] is None for score in runs.read_details()):
        reason = "a class has no test image"
        return Cell("measured", None, "%", reason=reason, stage=runs.stages(), metrics=runs.details_files())
    return mean_cell(runs, "auc", "%")


def gain(params: Params, row: str, runs: Runs | None, line: Experiment | None) -> Cell:
    """The gain from KD in points, beside the report's claim for its one student with KD."""
    printed = claimed_gain()["printed"] if row == "student_kd" else None
    if runs is None:
        return absent(printed)
    if line is None:
        return Cell("derived", reason="no teacher")
    cell = gain_cell(params, line, runs)
    if printed is None or cell.interval is None:
        return replace(cell, paper=printed)
    baseline = baseline_of(params, line)
    obstacles = comparable.of_difference(params, runs, baseline) if baseline else comparable.obstacles(params, runs)
    verdict, reason = verdicts.of_accuracy(cell.interval, printed, (), obstacles, params.precision)
    return replace(cell, paper=printed, verdict=verdict, reason="; ".join(filter(None, (cell.reason, reason))))


def notes_on_results(listed: Mapping[str, Listed], rows: list[Row]) -> Iterator[str]:
    """How to read the table, and what its intervals show."""
    yield (
        "accuracy: mean over runs; its interval is Student's t over runs from 3 on, else Wilson's on the test images. "
        "sd, ddof 0: of the population, as the report has it; sd, ddof 1: of a sample."
    )
    yield (
        "teacher brings: accuracy minus that of the same student, recipe and seed without a teacher, paired over seeds "
        "from 3 on, else over test images."
    )
    for row in rows:
        runs, line = listed.get(row.id, (None, None))
        cell = row.cells["gain"]
        if runs and line and line.teacher:
            kd = line.method
            setting = f"T = {kd['temperature']:g}, CE weight {kd['task_weight']:g}, KL weight {kd['distill_weight']:g}"
            effect = f"; {cell.reason.split(';')[0]}" if cell.interval and cell.reason else ""
            yield f"{row.label}: {setting}{effect}."
    yield "macro OvR AUC: area under the ROC curve, one class against the rest, plain mean over classes."


def notes_on_report(listed: Mapping[str, Listed]) -> Iterator[str]:
    """Where the report, its author's code and other sources disagree, and what is done here."""
    study = paper().data
    text, code = (study["hyperparameters"][source] for source in ("from_seed", "from_author_repo"))
    rows, runs = study["tables"]["table_2"]["rows"], study["tables"]["table_2"]["per_run"]
    teacher, alone, taught = (rows[label]["accuracy_mean"] for label in ROWS.values())
    gained = taught - alone
    yield (
        f"The report calls {claimed_gain()['printed']:.2f} a gain in %: it is {taught:.2f} - {alone:.2f} = {gained:.2f} "
        f"points, {100 * gained / alone:.2f} % of {alone:.2f}."
    )
    samples = " and ".join(f"{intervals.spread(run['accuracy']):.2f}" for run in runs.values())
    yield f"The report's sd is ddof 0: with ddof 1 the five accuracies of its author's notebook give {samples}."
    yield (
        f"KL weight: the report sets {text['kl_weight_best']:g} in one place and alpha = {text['alpha_best']:g} in "
        f"another; its author's code has KL weight {code['kl_weight']:g}, CE weight {code['ce_weight']:g}."
    )
    yield (
        f"Epochs: the report says {text['epochs']}, its author's runs had {code['epochs_actually_run']}{epochs(listed)}."
    )
    yield (
        f"Teacher: the report has {teacher:.2f} for a checkpoint whose authors publish {SIMKD_TEACHER:.2f} "
        "(SimKD, RepDistiller)."
    )
    areas = " and ".join(f"{100 * run['mean_auc']:.2f}" for run in runs.values())
    yield f"AUC: the report prints none; its author's notebook has {areas} without and with KD."


def epochs(listed: Mapping[str, Listed]) -> str:
    """How long the students here were trained: `; the students here 20`."""
    lengths = {score["epochs_run"] for runs, line in listed.values() if line for score in runs.read_details()}
    return f"; the students here {' or '.join(map(str, sorted(lengths)))}" if lengths else ""
