"""A sweep's table: test accuracy over temperature and task_weight, and beside it validation accuracy, to choose by.

The studies tell of their grids in words, without numbers.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cellar import paths
from cellar.config import Params, Sweep
from cellar.errors import CellarError
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.reference import CIFAR100_KD, CUSTOM, MINI_RESEMOTENET, study, study_of
from cellar.tables.runs import DIGITS, Runs, accuracy_cell, mean_cell, runs_of

Point = tuple[float, float]  # temperature, task_weight
Values = Mapping[Point, float]  # percent


def grid(params: Params, sweep: str) -> dict[Point, Runs]:
    points = params.sweeps[sweep].experiments(sweep)
    return {(line.temperature, line.task_weight): runs_of(params, key, line) for key, line in points.items()}


def metrics_files(params: Params, sweep: str) -> list[str]:
    return sorted(path for runs in grid(params, sweep).values() for path in runs.metrics_files())


def inputs(params: Params, sweep: str) -> list[str]:
    printed = [] if study_of(params.sweeps[sweep].dataset) == CUSTOM else [str(paths.REFERENCE)]
    return [*printed, *metrics_files(params, sweep)]


def param_keys(params: Params, sweep: str) -> list[str]:
    return ["scale", f"sweeps.{sweep}"]


def build(params: Params, sweep: str) -> Table:
    line, points = params.sweeps[sweep], grid(params, sweep)
    tested, validated = on_test(points), on_validation(points)
    columns = [Column(f"w{w:g}", f"{weight_name(line)} {w:g}", "%") for w in line.task_weights]
    if validated:
        columns += [Column(f"validation_w{w:g}", f"validation, {w:g}", "%") for w in line.task_weights]
    rows = [
        Row(f"T{t:g}", f"T = {t:g}", row_cells(params, line, t, points, bool(validated))) for t in line.temperatures
    ]
    title = f"Sweep {sweep}: test accuracy (%) of {line.model} on {line.dataset}"
    notes = [*said(line), *chosen(line, tested, validated), "Differences inside the intervals are no finding."]
    return Table(sweep, title, study_of(line.dataset), params.scale.model_dump(), notes, columns, rows)


def row_cells(
    params: Params, line: Sweep, temperature: float, points: Mapping[Point, Runs], validated: bool
) -> dict[str, Cell]:
    runs = {weight: points[temperature, weight] for weight in line.task_weights}
    cells = {f"w{w:g}": accuracy_cell(one, params) for w, one in runs.items()}
    if validated:
        cells |= {f"validation_w{w:g}": mean_cell(one, "validation_accuracy", "%") for w, one in runs.items()}
    return cells


def on_test(points: Mapping[Point, Runs]) -> Values:
    """Test accuracy, mean over seeds. Raises CellarError for a file that is none of metrics."""
    found = {point: mean(runs, "accuracy") for point, runs in points.items()}
    return {point: value for point, value in found.items() if value is not None}


def on_validation(points: Mapping[Point, Runs]) -> Values:
    """Accuracy on images held out of training, mean over seeds; empty unless every run held some out."""
    found = {point: mean(runs, "validation_accuracy") for point, runs in points.items()}
    known = {point: value for point, value in found.items() if value is not None}
    return known if len(known) == len(points) else {}


def mean(runs: Runs, name: str) -> float | None:
    """None when a run has no such number."""
    found = []
    for path, scores in zip(runs.metrics_files(), runs.read(), strict=True):
        if not isinstance(scores, dict) or name not in scores:
            raise CellarError(f"{path} is not a metrics file; remove it and build it again")
        found.append(scores[name])
    return None if None in found else round(float(np.mean(found)), DIGITS)


def best(values: Values) -> list[Point]:
    """The points of the highest value: usually one."""
    return [point for point, value in values.items() if value == max(values.values())]


def weight_name(line: Sweep) -> str:
    """What a reader of the study calls task_weight; the CIFAR-100 report's alpha is the other weight."""
    return "alpha" if study_of(line.dataset) == MINI_RESEMOTENET else "CE weight"


def said(line: Sweep) -> Iterator[str]:
    """What the study says of its grid, and what a weight of 0 means."""
    known = study_of(line.dataset)
    if known == MINI_RESEMOTENET:
        found = study(known)["hyperparameters"]["from_seed"]
        alphas = " or ".join(f"{alpha:.2f}" for alpha in found["alphas_best"])
        yield f"The paper says that T = {found['temperature']} and alpha = {alphas} were best, without numbers."
    if known == CIFAR100_KD:
        found, code = (study(known)["hyperparameters"][source] for source in ("from_seed", "from_author_repo"))
        yield (
            f"The report says that T = {found['T_best']} and KL weight {found['kl_weight_best']:g} were best, without "
            f"numbers; its discussion has alpha = {found['alpha_best']:g}, its author's code KL weight "
            f"{code['kl_weight']:g} and CE weight {code['ce_weight']:g}. It holds no images out to choose by."
        )
    if 0 in line.task_weights:
        yield f"{weight_name(line)} 0: the student learns from the teacher alone, not from the labels."


def chosen(line: Sweep, tested: Values, validated: Values) -> Iterator[str]:
    """Which point each set of images would choose, and what the choice is worth on the test images."""
    if validated:
        yield (
            "validation: accuracy on images held out of training. Best there: "
            f"{told(line, best(validated), {'validation': validated, 'test': tested})}."
        )
    else:
        yield "No images were held out of training to choose by."
    ways = {"test": tested} | ({"validation": validated} if validated else {})
    so = ", the report's way to choose" if study_of(line.dataset) == CIFAR100_KD else ""
    yield (
        f"Best on test{so}: {told(line, best(tested), ways)}. "
        "Chosen by the very images it is measured on, an accuracy is too high on average."
    )


def told(line: Sweep, points: Sequence[Point], values: Mapping[str, Values]) -> str:
    """Points with their accuracies: T = 4, CE weight 0.25 (validation 55.20 %, test 54.10 %)."""
    return " and ".join(
        f"T = {t:g}, {weight_name(line)} {w:g} "
        f"({', '.join(f'{name} {found[t, w]:.2f} %' for name, found in values.items())})"
        for t, w in points
    )
