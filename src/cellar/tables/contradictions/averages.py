"""Means, deviations and macro averages that do not follow from what they are made of."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.metrics import intervals
from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.printed import label
from cellar.tables.reference import CIFAR100_KD, SMALL_DATASET_KD
from cellar.tables.rounding import agrees

KIND = "averages"
ROUNDING = 0.011  # two printed values that round differently are still equal
CLOSE = 0.1  # points between a macro F1 and the harmonic mean of its averages
CLASSIFIED = ("table_2", "table_3", "table_4", "table_5", "table_6")

Scored = tuple[str, str, dict[str, float]]  # table, network, its scores


def check(paper: Paper) -> Iterator[Finding]:
    if paper.name == CIFAR100_KD:
        yield from runs(paper)
    if paper.name == SMALL_DATASET_KD:
        yield from recalls(paper)
        yield from thresholded(paper)


def runs(paper: Paper) -> Iterator[Finding]:
    """Mean and sd against the runs in the author's notebook."""
    table = paper.data["tables"]["table_2"]
    for name, found in table["per_run"].items():
        values, row = found["accuracy"], table["rows"][name]
        mean, population, sample = sum(values) / len(values), *(intervals.spread(values, ddof) for ddof in (0, 1))
        listed = f"the author's notebook has {', '.join(f'{value:.2f}' for value in values)}"
        if not agrees(mean, row["accuracy_mean"], 2):
            yield Finding(KIND, f"Table 2: {name}, mean", f"{row['accuracy_mean']:.2f}", f"{mean:.2f}", listed)
        assert population is not None and sample is not None
        if not agrees(sample, row["accuracy_sd"], 2):
            divides = "which divides by n, not by n - 1" if agrees(population, row["accuracy_sd"], 2) else "by neither"
            worked = f"{listed}: sd {sample:.2f} (ddof 1), {population:.2f} (ddof 0), {divides}"
            yield Finding(KIND, f"Table 2: {name}, sd", f"{row['accuracy_sd']:.2f}", f"{sample:.2f}", worked)


def printed_rows(data: Mapping[str, Any], split: str) -> Iterator[Scored]:
    """Every line of a split that prints all four scores."""
    for table in CLASSIFIED:
        for name, row in data["tables"][table]["rows"].items():
            if {"f1", "pre", "rec", "acc"} <= row[split].keys():
                yield table, name, row[split]


def unequal_recalls(data: Mapping[str, Any]) -> Iterator[Scored]:
    """On a set with as many images of each class, macro recall is the accuracy; here it is not."""
    for table, name, scores in printed_rows(data, "train"):
        if abs(scores["rec"] - scores["acc"]) > ROUNDING:
            yield table, name, scores


def recalls(paper: Paper) -> Iterator[Finding]:
    each = paper.data["dataset"]["per_class_train"]
    why = f"{each} training images of each identity: macro REC is the mean of k / {each}, which is ACC"
    for table, name, scores in unequal_recalls(paper.data):
        place = label(("tables", table, "rows", name, "train"))
        yield Finding(KIND, place, f"REC {scores['rec']:.2f}, ACC {scores['acc']:.2f}", "REC = ACC", why)


def harmonic(pre: float, rec: float) -> float:
    return 2 * pre * rec / (pre + rec)


def of_thresholds(data: Mapping[str, Any]) -> Iterator[Scored]:
    """F1 as the harmonic mean of PRE and REC, ACC between them: no macro averages of one guess an image."""
    for table, name, scores in printed_rows(data, "test"):
        f1, pre, rec, acc = (scores[key] for key in ("f1", "pre", "rec", "acc"))
        if abs(f1 - harmonic(pre, rec)) < CLOSE and pre > acc > rec:
            yield table, name, scores


def thresholded(paper: Paper) -> Iterator[Finding]:
    for table, name, scores in of_thresholds(paper.data):
        f1, pre, rec, acc = (scores[key] for key in ("f1", "pre", "rec", "acc"))
        place = label(("tables", table, "rows", name, "test"))
        printed = f"F1 {f1:.2f}, PRE {pre:.2f}, REC {rec:.2f}, ACC {acc:.2f}"
        follows = "scores of guesses above a threshold, not macro averages of one guess an image"
        worked = f"2 x {pre:.2f} x {rec:.2f} / ({pre:.2f} + {rec:.2f}) = {harmonic(pre, rec):.2f}"
        yield Finding(KIND, place, printed, follows, f"{worked}, and PRE > ACC > REC")
