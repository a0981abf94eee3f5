"""Notes under the small-dataset study's tables: how to read them, and what stands in them here."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.config import Params
from cellar.tables.cells import Row
from cellar.tables.pins_cells import value_at
from cellar.tables.pins_contradictions import paper
from cellar.tables.pins_lines import Shown, same_data, scratch_of


def ours(params: Params, table: str, lines: list[Shown], rows: list[Row]) -> Iterator[str]:
    """How to read the table, and what stands in it here."""
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
    yield from averages(lines)
    yield from differences(params, lines, rows)
    yield from facts(lines)
    reasons = {one.row: same_data(params, one.line) if one.line else None for one in lines}
    for why, rows_of_it in by_value(reasons):
        yield f"{rows_of_it}: {why}; not comparable with the paper's, which builds on published weights."


def unchosen(params: Params, lines: list[Shown]) -> Iterator[str]:
    """Lines whose recipe chooses no epoch on validation."""
    last = [one.label for one in lines if one.line and params.recipes[one.line.recipe].select_on == "last_epoch"]
    if last:
        yield f"{', '.join(last)}: in place of the best on validation stands the last epoch, as the recipe says."


def averages(lines: list[Shown]) -> Iterator[str]:
    """Macro and micro: of one label and one guess an image, micro precision, recall and F1 are the accuracy."""
    runs = [one.runs for one in lines if one.runs and one.kind == "classes"]
    scores = [score for found in runs for score in found.read_details()]
    if not scores:
        return
    equal = all("micro" in score and set(score["micro"].values()) == {score["accuracy"]} for score in scores)
    said = "; in every run here micro F1, precision and recall equal ACC, as with one label an image they must"
    yield f"F1, PRE, REC: macro averages, as the paper prints them{said if equal else ''}."


def differences(params: Params, lines: list[Shown], rows: list[Row]) -> Iterator[str]:
    """What the paired comparison with scratch allows to say."""
    by_id = {row.id: row.cells.get("gain") for row in rows}
    told = False
    for one in lines:
        cell = by_id.get(f"{one.row}-acc")
        baseline = scratch_of(params, one.line) if one.line else None
        if cell and cell.interval and cell.reason and baseline:
            told = True
            low, high = cell.interval
            yield (
                f"{one.label} ({one.row}) minus {baseline.key}: {cell.value:+.2f} points [{low:+.2f}, {high:+.2f}]: "
                f"{cell.reason.split(';')[0]}."
            )
    if told:
        yield (
            "minus scratch: accuracy minus that of the same network from random weights, same seed, paired over test "
            "images, from 3 runs on over seeds; its recipe is its own, as in the paper. The paper's: of its two tables."
        )


def facts(lines: list[Shown]) -> Iterator[str]:
    """What a pre-training and a meta-learning were shown."""
    scores = {one.row: one.runs.read_details()[0] for one in lines if one.runs and one.kind in ("features", "tasks")}
    asked = paper()["hyperparameters"]["from_seed"]["kd_features_pretrain"]["images"]
    for faces, rows in by_value({row: value_at(score, "faces.count") for row, score in scores.items()}):
        yield f"{rows}: {faces:,} faces without labels; the paper {asked:,}."
    for one in lines:
        if one.kind == "tasks" and one.row in scores:
            n, ways, shots, queries = (scores[one.row].get(key, "?") for key in ("n", "ways", "shots", "queries"))
            yield (
                f"{one.label}: {n} test tasks of {ways} identities, images to adapt to: {shots} of each, to name: "
                f"{queries}. The paper describes MAML and prints no value. Tasks share images: no interval of one run."
            )


def by_value(found: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Each value that is not None, and the rows that have it."""
    for value in dict.fromkeys(value for value in found.values() if value is not None):
        yield value, ", ".join(row for row, other in found.items() if other == value)
