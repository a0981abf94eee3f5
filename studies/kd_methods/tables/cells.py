"""What the tables share: the accuracies of a run at the last epoch and at the chosen ones, and differences of two runs."""

from dataclasses import replace

from cellar.config import Params
from cellar.tables.cells import NOT_RUN, Cell, keyed
from cellar.tables.printed_values import Place
from cellar.tables.run_cells import difference_cell, difference_files, judged_cell
from cellar.tables.runs import Runs

from ..printed import paper

NONE_HELD_OUT = "no images were held out to choose on"
NOT_WATCHED = "the recipe does not watch the test images"


def last_epoch(params: Params, runs: Runs, place: Place | None = None, obstacle: str | None = None) -> Cell:
    """Accuracy at the last epoch, as RepDistiller reports it."""
    values = [score["last_epoch"]["accuracy"] for score in runs.read()]
    return judged(params, runs, values, place, obstacle)


def best_on_test(params: Params, runs: Runs, place: Place | None = None, obstacle: str | None = None) -> Cell:
    """Accuracy at the epoch that is best on the test set, as mdistiller and LSKD report it: too high on average."""
    found = [details.get("best_on_test", {}).get("accuracy") for details in runs.read_details()]
    if None in found:
        return printed_alone(place, NOT_WATCHED)
    return replace(judged(params, runs, found, place, obstacle), metrics=runs.details_files())


def best_on_validation(params: Params, runs: Runs) -> Cell:
    scores = runs.read()
    if any(score["validation_accuracy"] is None for score in scores):
        return Cell("measured", reason=NONE_HELD_OUT)
    return judged(params, runs, [score["accuracy"] for score in scores])


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
    return difference_cell(runs, other, subject) if other else NOT_RUN


def difference_inputs(runs: Runs, other: Runs | None) -> list[str]:
    return difference_files(runs, other) if other else []
