"""Notes under the tables: how to read them, and what they show here."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.config import Params
from cellar.tables.cells import Row

from ..printed import data
from .cells import value_at
from .lines import Shown, same_data, scratch_of


def on_results(params: Params, table: str, lines: list[Shown], rows: list[Row]) -> Iterator[str]:
    """How to read the table, and what it shows here."""
    yield (
        "test, best on validation: weights of the epoch that is best on validation images, test images read once. "
        "best on test: the epoch whose test score is best, as the paper has it; chosen on the very images that it is "
        "measured on, it is too high on average."
    )
    yield (
        "[a, b]: Student's t over runs from 3 on; of a single run, Wilson's on its test "
        f"{'triplets, which share images and so are not independent' if table[-1] == '1' else 'images'}, for accuracy "
        "alone."
    )
    yield from unchosen(params, lines)
    yield from classified(lines)
    yield from differences(params, lines, rows)
    yield from data_shown(lines)
    reasons = {shown.row: same_data(params, shown.line) if shown.line else None for shown in lines}
    for why, rows_of_it in by_value(reasons):
        yield f"{rows_of_it}: {why}; not comparable with the paper's, which builds on published weights."


def unchosen(params: Params, lines: list[Shown]) -> Iterator[str]:
    """Rows whose recipe chooses no epoch on validation."""
    last = [
        shown.label for shown in lines if shown.line and params.recipes[shown.line.recipe].select_on == "last_epoch"
    ]
    if last:
        yield f"{', '.join(last)}: in place of the best on validation stands the last epoch, as the recipe says."


def classified(lines: list[Shown]) -> Iterator[str]:
    """What the figures of a classification are of."""
    if any(shown.runs and shown.kind == "classes" for shown in lines):
        yield (
            "train: what the network guessed in the epoch that was chosen, while it was trained on augmented images, as "
            "the authors' code prints it; each image was guessed before the step that learns from it."
        )
        yield "F1, PRE, REC: macro averages, as the paper prints them; with one guess an image, micro averages equal ACC."


def differences(params: Params, lines: list[Shown], rows: list[Row]) -> Iterator[str]:
    """What the paired comparison with scratch shows."""
    by_id = {row.id: row.cells.get("gain") for row in rows}
    compared = False
    for shown in lines:
        cell = by_id.get(f"{shown.row}-acc")
        baseline = scratch_of(params, shown.line) if shown.line else None
        if cell and cell.interval and cell.reason and baseline:
            compared = True
            low, high = cell.interval
            yield (
                f"{shown.label} ({shown.row}) minus {baseline.key}: {cell.value:+.2f} points [{low:+.2f}, {high:+.2f}]: "
                f"{cell.reason.split(';')[0]}."
            )
    if compared:
        yield (
            "minus scratch: accuracy minus that of the same network from random weights, same seed, paired over test "
            "images, from 3 runs on over seeds; its recipe is its own, as in the paper. The paper's: of its two tables."
        )


def data_shown(lines: list[Shown]) -> Iterator[str]:
    """The images of a pre-training, the tasks of a meta-learning."""
    with_data = [shown for shown in lines if shown.runs and shown.kind in ("features", "tasks")]
    scores = {shown.row: shown.runs.read_details()[0] for shown in with_data if shown.runs}
    printed = data()["hyperparameters"]["from_seed"]["kd_features_pretrain"]["images"]
    for faces, rows in by_value({row: value_at(score, "faces.count") for row, score in scores.items()}):
        yield f"{rows}: {faces:,} faces without labels; the paper {printed:,}."
    for shown in lines:
        if shown.kind == "tasks" and shown.row in scores:
            n, ways, shots, queries = (scores[shown.row].get(key, "?") for key in ("n", "ways", "shots", "queries"))
            yield (
                f"{shown.label}: {n} test tasks of {ways} identities, images to adapt to: {shots} of each, to name: "
                f"{queries}. The paper describes MAML and prints no value. Tasks share images: no interval of one run."
            )


def by_value(values: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Each value that is not None, and the rows that have it."""
    for value in dict.fromkeys(value for value in values.values() if value is not None):
        yield value, ", ".join(row for row, other in values.items() if other == value)
