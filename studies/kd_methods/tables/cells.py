"""What the tables share: the accuracies of a run at the last epoch and at the chosen ones, and differences of two runs."""

from dataclasses import replace
from pathlib import Path

from cellar import files, paths
from cellar.config import Params, Teacher
from cellar.tables.cells import Cell, keyed
from cellar.tables.comparable import line_of
from cellar.tables.printed_values import Place
from cellar.tables.run_cells import difference_cell, difference_files, judged_cell
from cellar.tables.runs import Runs

from ..printed import paper

NONE_HELD_OUT = "no images were held out to choose on"
NOT_WATCHED = "the recipe does not watch the test images"
CHOSEN_OTHERWISE = "the recipe chooses another epoch, by select_on: {}"
GIVEN = "its weights are a file: nothing is known of its epochs"
NO_BASELINE = Cell("not_run", reason="params.yaml has no student alone, or with KD, by these seeds")


def last_epoch(params: Params, runs: Runs, place: Place | None = None, obstacle: str | None = None) -> Cell:
    """Accuracy at the last epoch, as RepDistiller reports it."""
    values = [score["last_epoch"]["accuracy"] for score in runs.read()]
    return judged(params, runs, values, place, obstacle)


def best_on_test(params: Params, runs: Runs, place: Place | None = None, obstacle: str | None = None) -> Cell:
    """The highest accuracy of all epochs on the test set, as mdistiller and LSKD report it: too high on average."""
    histories = [files.read_csv(Path(path)) for path in history_files(runs)]
    if is_given(params, runs):
        return printed_alone(place, GIVEN)
    if not all(rows and "test_accuracy" in rows[0] for rows in histories):
        return printed_alone(place, NOT_WATCHED)
    best = [max(row["test_accuracy"] for row in rows) for rows in histories]
    return replace(judged(params, runs, best, place, obstacle), metrics=history_files(runs))


def history_files(runs: Runs) -> list[str]:
    """The scores of every epoch, one file for each seed."""
    return [str(paths.trained(runs.kind, runs.place, seed) / "history.csv") for seed in runs.seeds]


def best_on_validation(params: Params, runs: Runs) -> Cell:
    scores, chosen_by = runs.read(), params.recipes[line_of(params, runs).recipe].select_on
    if is_given(params, runs):
        return Cell("measured", reason=GIVEN)
    if any(score["validation_accuracy"] is None for score in scores):
        return Cell("measured", reason=NONE_HELD_OUT)
    if chosen_by != "validation_accuracy":
        return Cell("measured", reason=CHOSEN_OTHERWISE.format(chosen_by))
    return judged(params, runs, [score["accuracy"] for score in scores])


def is_given(params: Params, runs: Runs) -> bool:
    """Whether it is a teacher whose weights are a file."""
    line = line_of(params, runs)
    return isinstance(line, Teacher) and line.weights is not None


def judged(
    params: Params, runs: Runs, values: list[float], place: Place | None = None, obstacle: str | None = None
) -> Cell:
    images = [score["n"] for score in runs.read()]
    printed = paper().number(place) if place else None
    cell = judged_cell(runs, params, values, images, printed=printed, obstacle=obstacle)
    return keyed(cell, *place) if place else cell


def printed_alone(place: Place | None, reason: str) -> Cell:
    """The printed value where there is none of ours."""
    cell = Cell("not_run", paper=paper().number(place) if place else None, reason=reason)
    return keyed(cell, *place) if place else cell


def difference(runs: Runs, other: Runs | None, subject: str) -> Cell:
    return difference_cell(runs, other, subject) if other else NO_BASELINE


def difference_inputs(runs: Runs, other: Runs | None) -> list[str]:
    return difference_files(runs, other) if other else []
