"""Means, deviations and macro averages that do not follow from what they are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cellar.metrics import intervals
from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper, Place
from cellar.tables.rounding import agrees

KIND = "averages"
ROUNDING = 0.011  # two printed values that round differently are still equal
CLOSE = 0.1  # points between a macro F1 and the harmonic mean of its averages

Scored = tuple[Place, Mapping[str, float]]  # where scores are printed, and f1, pre, rec, acc


def of_runs(place: str, values: Sequence[float], mean: float, sd: float, source: str) -> Iterator[Finding]:
    """A printed mean and deviation against the runs that `source` lists."""
    actual, population, sample = sum(values) / len(values), *(intervals.spread(values, ddof) for ddof in (0, 1))
    listed = f"{source} has {', '.join(f'{value:.2f}' for value in values)}"
    if not agrees(actual, mean, 2):
        yield Finding(KIND, f"{place}, mean", f"{mean:.2f}", f"{actual:.2f}", listed)
    assert population is not None and sample is not None
    if not agrees(sample, sd, 2):
        divides = "which divides by n, not by n - 1" if agrees(population, sd, 2) else "by neither"
        worked = f"{listed}: sd {sample:.2f} (ddof 1), {population:.2f} (ddof 0), {divides}"
        yield Finding(KIND, f"{place}, sd", f"{sd:.2f}", f"{sample:.2f}", worked)


def unequal_recalls(rows: Iterable[Scored]) -> Iterator[Scored]:
    """On a set with equally many images of each class macro recall is the accuracy; here it is not."""
    for place, scores in rows:
        if abs(scores["rec"] - scores["acc"]) > ROUNDING:
            yield place, scores


def recalls(paper: Paper, rows: Iterable[Scored], each: int, classes: str) -> Iterator[Finding]:
    """`each`: training images of every class; `classes`: what a class is, such as `identity`."""
    why = f"{each} training images of each {classes}: macro REC is the mean of k / {each}, which is ACC"
    for place, scores in unequal_recalls(rows):
        printed = f"REC {scores['rec']:.2f}, ACC {scores['acc']:.2f}"
        yield Finding(KIND, paper.label(place), printed, "REC = ACC", why)


def harmonic(pre: float, rec: float) -> float:
    return 2 * pre * rec / (pre + rec)


def of_thresholds(rows: Iterable[Scored]) -> Iterator[Scored]:
    """F1 as the harmonic mean of PRE and REC, ACC between them: no macro averages of one guess an image."""
    for place, scores in rows:
        f1, pre, rec, acc = (scores[key] for key in ("f1", "pre", "rec", "acc"))
        if abs(f1 - harmonic(pre, rec)) < CLOSE and pre > acc > rec:
            yield place, scores


def thresholded(paper: Paper, rows: Iterable[Scored]) -> Iterator[Finding]:
    for place, scores in of_thresholds(rows):
        f1, pre, rec, acc = (scores[key] for key in ("f1", "pre", "rec", "acc"))
        printed = f"F1 {f1:.2f}, PRE {pre:.2f}, REC {rec:.2f}, ACC {acc:.2f}"
        follows = "scores of guesses above a threshold, not macro averages of one guess an image"
        worked = f"2 x {pre:.2f} x {rec:.2f} / ({pre:.2f} + {rec:.2f}) = {harmonic(pre, rec):.2f}"
        yield Finding(KIND, paper.label(place), printed, follows, f"{worked}, and PRE > ACC > REC")
