"""Recomputes archived table cells from archived scalars.

A formula is a name and a dotted key of the cell's metrics files: `mean accuracy`, `difference accuracy`,
`sum pairs.*.exact`. It is determined once, when the run is archived, by searching the scalars for the one that gives
the cell's value, standard deviations and interval; `cellar verify` then recomputes the cell by it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cellar.metrics import intervals
from cellar.tables.run_cells import DIGITS, interval_of, rounded, spreads

Cell = Mapping[str, Any]
Metrics = Sequence[Mapping[str, Any]]  # of each metrics file of a cell, in its order: dotted key → value

PREDICTIONS = re.compile("^results/predictions/(.*)/predictions.npz$")
# Cells computed from predictions rest on unrounded accuracies, archived metrics on those rounded to DIGITS; an interval
# over three seeds may differ by some units of the last digit.
TOLERANCE = 5 * 10.0**-DIGITS
MOST_UNNAMED = 3  # with more equal candidates, none of which shares a word with the cell's labels, none is chosen


def sources(cell: Cell, metrics: Mapping[str, Any]) -> list[str]:
    """The metrics files behind a cell. Cells computed from predictions have the metrics of the same run."""
    named = [PREDICTIONS.sub(r"results/metrics/\1.json", path) for path in cell.get("metrics", [])]
    return [path for path in named if path in metrics]


def recompute(formula: str, cell: Cell, metrics: Metrics) -> dict[str, Any]:
    """The fields of a cell that its formula gives. Raises KeyError, TypeError or ValueError if it does not apply."""
    name, _, key = formula.partition(" ")
    return FORMULAS[name](cell, values_at(metrics, key), metrics)


def values_at(metrics: Metrics, key: str) -> list[Any]:
    """One value per file; a key with `*` gives the sum over all keys that match it."""
    if "*" not in key:
        return [content[key] for content in metrics]
    pattern = re.compile(re.escape(key).replace(r"\*", r"[^.]+"))
    return [sum(value for name, value in content.items() if pattern.fullmatch(name)) for content in metrics]


def mean(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    average = round(float(np.mean(values)), DIGITS)
    fields: dict[str, Any] = {"value": average}
    if "mean" in cell:
        fields["mean"] = average
        fields["std"], fields["std_population"] = spreads(values)
    if "interval" in cell:
        images = [content["n"] for content in metrics if "n" in content]
        interval, fields["n"], fields["method"] = interval_of(values, images)
        fields["interval"] = rounded(interval)
    return fields


def std(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    return {"value": spreads(values)[0]}


def std_population(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    return {"value": spreads(values)[1]}


def difference(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    """The first half of the files minus the second, paired over seeds where the cell is."""
    half = len(values) // 2
    if len(values) % 2 or not half:
        raise ValueError("a difference needs as many files on both sides")
    if "paired t" not in str(cell.get("method")):
        return {"value": round(float(np.mean(values[:half]) - np.mean(values[half:])), DIGITS)}
    average, interval = intervals.paired_seeds(values[:half], values[half:])
    return {"value": round(average, DIGITS), "interval": rounded(interval), "n": half}


def each(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    """One value per seed, as text."""
    return {"value": ", ".join(map(str, values))}


def total(cell: Cell, values: list[Any], metrics: Metrics) -> dict[str, Any]:
    if not all(isinstance(value, int) for value in values):
        raise ValueError("only counts are added up")
    return {"value": sum(values)}


FORMULAS: dict[str, Callable[[Cell, list[Any], Metrics], dict[str, Any]]] = {
    "mean": mean, "std": std, "std_population": std_population, "difference": difference, "each": each, "sum": total,
}  # fmt: skip


def mismatches(formula: str, cell: Cell, metrics: Metrics) -> dict[str, tuple[Any, Any]]:
    """Field → (in the cell, recomputed), for the fields that differ."""
    fields = recompute(formula, cell, metrics)
    given = {name: value for name, value in fields.items() if name in cell}  # early tables have fewer fields
    return {name: (cell[name], value) for name, value in given.items() if not same(cell, name, value)}


def same(cell: Cell, name: str, value: Any) -> bool:
    if cell[name] == value:
        return True
    numbers = is_number(value) or (name == "interval" and value is not None)
    rounded_input = any(PREDICTIONS.match(path) for path in cell["metrics"])
    return numbers and rounded_input and bool(np.allclose(cell[name], value, rtol=0, atol=TOLERANCE))


def search(cell: Cell, labels: Sequence[str], metrics: Metrics) -> str | None:
    """The formula that gives a cell; None if none does or the choice would be arbitrary.

    `labels`: ids and labels of its row and column. Among formulas that fit, the one whose key shares most words with
    them is chosen, then the shortest.
    """
    fitting = [formula for formula in candidates(metrics) if fits(formula, cell, metrics)]
    if not fitting:
        return None
    words = {word for label in labels for word in words_of(label)}
    scores = {formula: shared(formula, words) for formula in fitting}
    best = min(fitting, key=lambda formula: (-scores[formula], len(formula)))
    return best if scores[best] or len(fitting) <= MOST_UNNAMED else None


def candidates(metrics: Metrics) -> Iterator[str]:
    numbers = [{key for key, value in content.items() if is_number(value)} for content in metrics]
    keys = sorted(set.intersection(*numbers)) if numbers else []
    for key in keys:
        yield from (f"{name} {key}" for name in FORMULAS if name != "sum")
    parts = [key.split(".") for key in keys]
    patterns = Counter(".".join([*part[:i], "*", *part[i + 1 :]]) for part in parts for i in range(len(part)))
    yield from (f"sum {pattern}" for pattern, count in sorted(patterns.items()) if count > 1)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def fits(formula: str, cell: Cell, metrics: Metrics) -> bool:
    try:
        return not mismatches(formula, cell, metrics)
    except (KeyError, TypeError, ValueError):
        return False


def shared(formula: str, words: set[str]) -> int:
    """How many words of a formula are, or begin with, a word of the labels."""
    return sum(any(word.startswith(label) for label in words) for word in words_of(formula))


def words_of(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9²]+", text.lower().replace("r²", "r2")) if len(word) > 1]
