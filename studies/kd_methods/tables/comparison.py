"""Table `<pair>`: all methods of one pair of networks, by one recipe, against the student alone and against KD.

Three accuracies of each: at the last epoch, at the best one on validation images, and at the best one on the test set, which is
here only to show how much a choice on the test set adds.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cellar import paths
from cellar.config import Experiment, Params
from cellar.studies import TableSpec
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.comparable import keys_of
from cellar.tables.numbers import number_text
from cellar.tables.run_cells import DIGITS
from cellar.tables.runs import Runs, experiment_keys

from ..lines import Pair, baseline, heading, pair_of, pairs
from ..printed import ALONE, KD, KEY, LABELS, TEACHER, beside, paper
from .cells import best_on_test, best_on_validation, difference, difference_inputs, history_files, last_epoch

CODE = ("printed.py", "lines.py", "trainings.py", "tables")
COLUMNS = [
    Column("last_epoch", "last epoch (%)", "%"),
    Column("validation", "best on validation (%)", "%"),
    Column("best_on_test", "best on test (%)", "%"),
    Column("selection", "best on test adds (points)", "points"),
    Column("gain", "against the student alone (points)", "points"),
    Column("over_kd", "against KD (points)", "points"),
    Column("settings", "parameters"),
]
NOTHING = Cell("derived")
TEACHER_ROW = "teacher"


def specs(params: Params) -> tuple[TableSpec, ...]:
    """One for each pair that params.yaml lists, a user's own among them."""
    return tuple(spec(name) for name in pairs(params))


def spec(pair: str) -> TableSpec:
    return TableSpec(
        pair,
        lambda params: build(params, pair_of(params, pair)),
        lambda params: inputs(params, pair_of(params, pair)),
        lambda params: shown_params(params, pair_of(params, pair)),
        lambda params: judged(pair_of(params, pair)),
        code=CODE,
    )


def inputs(params: Params, pair: Pair) -> list[str]:
    needed = {str(paths.printed(KEY))}
    for runs in judged(pair):
        needed |= {*runs.metrics_files(), *history_files(runs)}
    for _, runs in pair.students.values():
        for other in (ALONE, KD):
            needed |= set(difference_inputs(runs, baseline(params, pair, other, runs.seeds)))
    return sorted(needed)


def shown_params(params: Params, pair: Pair) -> list[str]:
    lines = [experiment_keys(runs.key, "row", "method", "recipe") for _, runs in pair.students.values()]
    taught_by = [key for runs in [pair.teacher] if runs for key in keys_of(params, runs)]
    recipes = [f"recipes.{name}.{key}" for name in recipes_of(pair) for key in ("epochs", "select_on")]
    return ["scale", *(key for keys in lines for key in keys), *recipes, *taught_by]


def recipes_of(pair: Pair) -> list[str]:
    """Of the students."""
    return list(dict.fromkeys(line.recipe for line, _ in pair.students.values()))


def judged(pair: Pair) -> list[Runs]:
    return [*([pair.teacher] if pair.teacher else []), *(runs for _, runs in pair.students.values())]


def build(params: Params, pair: Pair) -> Table:
    rows = [Row(TEACHER_ROW, f"teacher: {pair.teacher.model}", teacher_cells(params, pair))] if pair.teacher else []
    for method, (line, runs) in pair.students.items():
        rows.append(Row(method, heading(method), student_cells(params, pair, method, line, runs)))
    student = next(iter(pair.students.values()))[1].model
    title = f"Methods of distillation: {pair.teacher.model if pair.teacher else ''} -> {student}"
    return Table(pair.name, title, KEY, params.scale.model_dump(), list(notes(params, pair, rows)), COLUMNS, rows)


def teacher_cells(params: Params, pair: Pair) -> dict[str, Cell]:
    assert pair.teacher, "a pair has one"
    return accuracies(params, pair, pair.teacher, (TEACHER,)) | dict.fromkeys(("gain", "over_kd", "settings"), NOTHING)


def student_cells(params: Params, pair: Pair, method: str, line: Experiment, runs: Runs) -> dict[str, Cell]:
    alone, kd = (baseline(params, pair, other, runs.seeds) for other in (ALONE, KD))
    return {
        **accuracies(params, pair, runs, LABELS.get(method, ())),
        "gain": NOTHING if method == ALONE else difference(runs, alone, "the teacher"),
        "over_kd": NOTHING if method in (ALONE, KD) else difference(runs, kd, "the method, beside KD,"),
        "settings": Cell("derived", settings(line)),
    }


def accuracies(params: Params, pair: Pair, runs: Runs, labels: tuple[str, ...]) -> dict[str, Cell]:
    labels = labels if pair.is_printed else ()
    last = last_epoch(params, runs, beside(pair.name, labels, best_on_test=False))
    best = best_on_test(params, runs, beside(pair.name, labels, best_on_test=True))
    return {
        "last_epoch": last,
        "validation": best_on_validation(params, runs),
        "best_on_test": best,
        "selection": selection(last, best),
    }


def selection(last: Cell, best: Cell) -> Cell:
    """What a choice of the epoch on the test set adds."""
    if not isinstance(last.value, int | float) or not isinstance(best.value, int | float):
        return Cell("derived", reason=best.reason)
    return Cell(
        "derived", round(best.value - last.value, DIGITS), "points", stage=last.stage,
        metrics=[*(last.metrics or []), *(best.metrics or [])],
    )  # fmt: skip


def settings(line: Experiment) -> str:
    """The parameters that params.yaml states; the others are the defaults in the method's file."""
    stated = {key: value for key, value in line.method.items() if key not in ("name", "loss_form")}
    return ", ".join(setting_text(key.replace("_", " "), value) for key, value in stated.items()) or "–"


def setting_text(name: str, value: Any) -> str:
    """Such as "temperature 4"; of what is switched on the name alone."""
    if isinstance(value, bool):
        return name if value else f"{name} off"
    return f"{name} {number_text(value, None)}"


def notes(params: Params, pair: Pair, rows: list[Row]) -> Iterator[str]:
    yield (
        "best on validation: of the epoch that is best on images held out of training, the one choice that is fair. best on test: of "
        "the epoch that is best on the test set itself, as several of the printed tables have it; nothing is chosen by it here."
    )
    yield selection_note(rows)
    chosen_by = dict.fromkeys(params.recipes[recipe].select_on for recipe in recipes_of(pair))
    yield (
        f"against the student alone, against KD: difference of the accuracies at the chosen epoch (select_on: {', '.join(chosen_by)}), "
        "paired over seeds from 3 on, else over test images."
    )
    yield from chance_notes(rows)
    yield (
        "paper: the first table of printed.yaml with RepDistiller's protocol that prints the method for this pair, beside the column of "
        "the epoch that it reports; every printed table is a table of its own here."
    )
    yield from method_notes(params, pair)
    for recipe in recipes_of(pair):
        those = [heading(method) for method, (line, _) in pair.students.items() if line.recipe == recipe]
        yield f"{params.recipes[recipe].epochs} epochs (recipe {recipe}): {', '.join(those)}."


def selection_note(rows: list[Row]) -> str:
    effects = [
        float(cell.value)
        for row in rows
        if row.id != TEACHER_ROW and (cell := row.cells["selection"]).value is not None
    ]
    logs = [log["best_over_epochs"] - log["last_epoch"] for log in paper().data["logs"]]
    ours = f"{np.mean(effects):.2f} on average over the students; " if effects else ""
    return (
        f"best on test adds, against the last epoch: {ours}in the {len(logs)} logs that LSKD's authors publish "
        f"{np.mean(logs):.2f} ({min(logs):.2f} to {max(logs):.2f})."
    )


def chance_notes(rows: list[Row]) -> Iterator[str]:
    """What a column of many intervals cannot say."""
    gains = [interval for row in rows if (interval := row.cells["gain"].interval)]
    if len(gains) > 1:
        yield (
            f"{len(gains)} intervals of 95 % against the student alone: if no method made a difference, about {len(gains) * 0.05:.1f} of them would "
            "exclude 0 by chance. All rows share one baseline; with one or two seeds, its luck is in each difference and in no interval."
        )


def method_notes(params: Params, pair: Pair) -> Iterator[str]:
    """What makes a row another comparison than the rest."""
    if "simkd" in pair.students:
        yield "SimKD: its student keeps a projector and the teacher's classifier, so it is a larger network than in the other rows."
    for method, (line, _) in pair.students.items():
        epochs = params.recipes[line.recipe].epochs
        for key in ("warm_up", "curriculum"):
            if line.method.get(key, 0) >= epochs:
                yield (
                    f"{heading(method)}: {key} {line.method[key]} does not end within its {epochs} epochs, so its loss never "
                    "has its full weight."
                )
