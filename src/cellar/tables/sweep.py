"""A sweep's table: test accuracy over temperature and task_weight, and validation accuracy, to choose by."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cellar import paths, studies
from cellar.config import Params, Sweep
from cellar.errors import CellarError
from cellar.studies import CUSTOM, SweepText
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import DIGITS, accuracy_cell, mean_cell
from cellar.tables.runs import Runs, runs_of

Point = tuple[float, float]  # temperature, task_weight
Values = Mapping[Point, float]  # percent


def grid(params: Params, sweep: str) -> dict[Point, Runs]:
    points = params.sweeps[sweep].experiments(sweep)
    return {
        (line.method["temperature"], line.method["task_weight"]): runs_of(params, key, line, sweep=True)
        for key, line in points.items()
    }


def metrics_files(params: Params, sweep: str) -> list[str]:
    return sorted(path for runs in grid(params, sweep).values() for path in runs.metrics_files())


def inputs(params: Params, sweep: str) -> list[str]:
    study = studies.known().get(params.study)
    return [*([str(paths.printed(study.key))] if study else []), *metrics_files(params, sweep)]


def shown_params(params: Params, sweep: str) -> list[str]:
    return ["scale", f"sweeps.{sweep}"]


def build(params: Params, sweep: str) -> Table:
    line, points = params.sweeps[sweep], grid(params, sweep)
    tested, validated = on_test(points), on_validation(points)
    study = studies.known().get(params.study)
    text = study.sweeps if study else SweepText()
    columns = [Column(f"w{w:g}", f"{text.weight} {w:g}", "%") for w in line.task_weights]
    if validated:
        columns += [Column(f"validation_w{w:g}", f"validation, {w:g}", "%") for w in line.task_weights]
    rows = [
        Row(f"T{t:g}", f"T = {t:g}", row_cells(params, line, t, points, bool(validated))) for t in line.temperatures
    ]
    title = f"Sweep {sweep}: test accuracy (%) of {line.model} on {line.dataset}"
    notes = [*text.notes(line), *zero_weight(line, text), *chosen(text, tested, validated)]
    notes.append("Differences inside the intervals are no finding.")
    return Table(sweep, title, study.key if study else CUSTOM, params.scale.model_dump(), notes, columns, rows)


def row_cells(
    params: Params, line: Sweep, temperature: float, points: Mapping[Point, Runs], validated: bool
) -> dict[str, Cell]:
    runs = {weight: points[temperature, weight] for weight in line.task_weights}
    cells = {f"w{w:g}": accuracy_cell(point, params) for w, point in runs.items()}
    if validated:
        cells |= {f"validation_w{w:g}": mean_cell(point, "validation_accuracy", "%") for w, point in runs.items()}
    return cells


def on_test(points: Mapping[Point, Runs]) -> Values:
    """Test accuracy, mean over seeds. Raises CellarError for a file that holds no metrics."""
    means = {point: mean(runs, "accuracy") for point, runs in points.items()}
    return {point: value for point, value in means.items() if value is not None}


def on_validation(points: Mapping[Point, Runs]) -> Values:
    """Accuracy on images held out of training, mean over seeds; empty unless every run held some out."""
    means = {point: mean(runs, "validation_accuracy") for point, runs in points.items()}
    known = {point: value for point, value in means.items() if value is not None}
    return known if len(known) == len(points) else {}


def mean(runs: Runs, name: str) -> float | None:
    """None when a run has no such number."""
    values = []
    for path, scores in zip(runs.metrics_files(), runs.read(), strict=True):
        if not isinstance(scores, dict) or name not in scores:
            raise CellarError(f"{path} is not a metrics file; remove it and build it again")
        values.append(scores[name])
    return None if None in values else round(float(np.mean(values)), DIGITS)


def best(values: Values) -> list[Point]:
    """The points of the highest value: usually one."""
    return [point for point, value in values.items() if value == max(values.values())]


def weight_name(params: Params) -> str:
    """What a reader of the study calls task_weight."""
    study = studies.known().get(params.study)
    return (study.sweeps if study else SweepText()).weight


def zero_weight(line: Sweep, text: SweepText) -> Iterator[str]:
    if 0 in line.task_weights:
        yield f"{text.weight} 0: the student learns from the teacher alone, not from the labels."


def chosen(text: SweepText, tested: Values, validated: Values) -> Iterator[str]:
    """Which point each set of images would choose, and what the choice is worth on the test images."""
    if validated:
        yield (
            "validation: accuracy on images held out of training. Best there: "
            f"{described(text, best(validated), {'validation': validated, 'test': tested})}."
        )
    else:
        yield "No images were held out of training to choose by."
    ways = {"test": tested} | ({"validation": validated} if validated else {})
    published = f", {text.chosen_on_test}" if text.chosen_on_test else ""
    yield (
        f"Best on test{published}: {described(text, best(tested), ways)}. "
        "Chosen by the very images it is measured on, an accuracy is too high on average."
    )


def described(text: SweepText, points: Sequence[Point], values: Mapping[str, Values]) -> str:
    """Points with their accuracies: T = 4, CE weight 0.25 (validation 55.20 %, test 54.10 %)."""
    return " and ".join(
        f"T = {t:g}, {text.weight} {w:g} "
        f"({', '.join(f'{name} {accuracies[t, w]:.2f} %' for name, accuracies in values.items())})"
        for t, w in points
    )
