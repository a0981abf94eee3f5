"""The cells of a row: train, test, and test at the epoch that is best on the test images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cellar.config import Params
from cellar.tables import comparable, verdicts
from cellar.tables.cells import NOT_RUN, Cell, keyed
from cellar.tables.printed_values import Place
from cellar.tables.run_cells import DIGITS, absent, difference_cell, judged_cell
from cellar.tables.runs import Runs

from .lines import Kind, Shown, obstacle, scratch_of

TRAIN, TEST, BEST = "train", "test", "best_on_test"
MISSING = {
    TRAIN: "the training images were not watched while it trained",
    TEST: "its metrics file does not have it",
    BEST: "the test images were not watched while it trained",
}


@dataclass(frozen=True)
class Figure:
    """One number of a row: where its columns find it in a metrics file; a column without a place has none."""

    label: str
    places: Mapping[str, str]  # column -> dotted key
    unit: str | None = "%"
    counted: str | None = None  # dotted key of how many of what a test rate is a share of


def averaged(label: str, name: str) -> Figure:
    places = {TRAIN: f"train.macro.{name}", TEST: f"macro.{name}", BEST: f"best_on_test.{name}"}
    return Figure(label, places)


ACCURACY = {TRAIN: "train.accuracy", TEST: "accuracy", BEST: "best_on_test.accuracy"}
RIGHT = Figure("ACC (%)", ACCURACY, counted="n")
EPOCH = Figure("epoch", {TEST: "epoch", BEST: "best_on_test.epoch"}, unit="count")
FIGURES: dict[Kind, dict[str, Figure]] = {
    "classes": {
        "f1": averaged("F1 (%)", "f1"),
        "pre": averaged("PRE (%)", "precision"),
        "rec": averaged("REC (%)", "recall"),
        "acc": RIGHT,
        "epoch": EPOCH,
    },
    "triplets": {"acc": RIGHT, "epoch": EPOCH},
    "tasks": {
        "acc": Figure("ACC (%)", {TEST: "accuracy"}),
        "before": Figure("ACC before adaptation (%)", {TEST: "before_adaptation.accuracy"}),
        "epoch": Figure("epoch", {TEST: "epoch"}, unit="count"),
    },
    "features": {
        "r2": Figure("R²", {TEST: "r2"}, unit=None),
        "r2_last": Figure("R², last epoch", {TEST: "last_epoch.r2"}, unit=None),
        "mse": Figure("MSE", {TEST: "mse"}, unit=None),
        "mae": Figure("MAE", {TEST: "mae"}, unit=None),
        "epoch": Figure("epoch", {TEST: "epoch"}, unit="count"),
    },
}


def cells(params: Params, shown: Shown, name: str) -> dict[str, Cell]:
    """Train, test, best on test; each beside the printed figure of its own row."""
    figure = FIGURES[shown.kind][name]
    return {
        column: keyed(cell(params, shown, name, figure, column), *printed_place(shown, name, column))
        for column in (TRAIN, TEST, BEST)
    }


def printed_place(shown: Shown, name: str, column: str) -> Place:
    """Where printed.yaml has a figure of a row."""
    if shown.place and shown.place[0] == "text_values":
        return (*shown.place, "at_epoch") if name == "epoch" else shown.place
    by_split = name != "epoch" and "test" in shown.printed
    return (*shown.place, *([TRAIN if column == TRAIN else TEST] if by_split else []), name)


def cell(params: Params, shown: Shown, name: str, figure: Figure, column: str) -> Cell:
    printed = printed_in(shown, name, figure, column)
    if column not in figure.places:
        return Cell("derived", reason="there is no such figure")
    if shown.runs is None:
        return replace(absent(printed), unit=figure.unit)
    scores = shown.runs.read_details()
    values = [value_at(score, figure.places[column]) for score in scores]
    if None in values:
        return unknown(shown.runs, printed, figure, MISSING[column])
    if name == "epoch":
        return epoch_cell(shown.runs, values, printed)
    images = [] if column == TRAIN or not figure.counted else [score[figure.counted] for score in scores]
    return judged_cell(
        shown.runs, params, values, images, unit=figure.unit, printed=printed, obstacle=obstacle(params, shown),
        remark=shown.runs.of_several_processors(scores),
    )  # fmt: skip


def printed_in(shown: Shown, name: str, figure: Figure, column: str) -> Any:
    """A classification prints a train and a test line; an epoch is that of the best test score, where there is one."""
    if name == "epoch":
        return shown.printed.get("epoch") if column == (BEST if BEST in figure.places else TEST) else None
    if "test" in shown.printed:
        return shown.printed[TRAIN if column == TRAIN else TEST].get(name)
    return None if column == TRAIN or column not in figure.places else shown.printed.get(name)


def value_at(score: dict[str, Any], dotted: str) -> Any:
    """The value at a dotted key; None where it, or what should hold it, is missing or null."""
    value: Any = score
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def unknown(runs: Runs, printed: Any, figure: Figure, reason: str) -> Cell:
    verdict: verdicts.Verdict | None = None if printed is None else "not comparable"
    cell = Cell("measured", None, figure.unit, printed, verdict=verdict, reason=reason)
    return replace(cell, stage=runs.stages(), metrics=runs.metrics_files())


def epoch_cell(runs: Runs, values: list[int], printed: int | None) -> Cell:
    """One epoch a run, in the order of the seeds."""
    value = values[0] if len(set(values)) == 1 else ", ".join(map(str, values))
    verdict: verdicts.Verdict | None = None if printed is None else "not comparable"
    reason = None if printed is None else "an epoch depends on the run: it is shown, not judged"
    cell = Cell("counted", value, "count", printed, verdict=verdict, reason=reason)
    return replace(cell, stage=runs.stages(), metrics=runs.metrics_files())


def gain(params: Params, shown: Shown, subject: str, printed: float | None) -> Cell:
    """Accuracy minus that of the same network from scratch, paired, in points; `printed`: the paper's difference."""
    if shown.runs is None or shown.line is None:
        return replace(absent(printed), unit="points")
    baseline = scratch_of(params, shown.line)
    if baseline is None:
        return Cell("not_run", None, "points", printed, reason=f"{NOT_RUN.reason}: the same network from scratch")
    cell = difference_cell(shown.runs, baseline, subject)
    own = obstacle(params, shown)
    obstacles = [*comparable.of_difference(params, shown.runs, baseline), *([own] if own else [])]
    verdict, reason = verdicts.of_accuracy(cell.interval, printed, (), obstacles, params.precision)
    reasons = "; ".join(filter(None, (cell.reason, reason)))
    return replace(cell, paper=printed, verdict=verdict, reason=reasons)


def highest(others: list[Cell], printed: float | None) -> Cell:
    """The highest of several cells: its value, and where all of them come from."""
    known = [cell for cell in others if isinstance(cell.value, int | float)]
    if not known:
        return absent(printed)
    value = max(float(cell.value) for cell in known if cell.value is not None)
    verdict: verdicts.Verdict | None = None if printed is None else "not comparable"
    reason = f"the highest of {len(known)}: it has no interval"
    stages, metrics = ([path for cell in known for path in getattr(cell, name) or []] for name in ("stage", "metrics"))
    return Cell("derived", round(value, DIGITS), None, printed, None, verdict, reason, stage=stages, metrics=metrics)
