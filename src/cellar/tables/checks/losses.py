"""A loss below what the printed accuracy allows, if it is the mean cross-entropy; the paper may mean another."""

from collections.abc import Iterator
from math import log

from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper

KIND = "loss against accuracy"
LEAST = log(2)  # nats that a wrongly named image costs: its own class has at most half the probability


def check(paper: Paper) -> Iterator[Finding]:
    """Every printed `loss` whose row prints an `accuracy` in percent."""
    for place, printed in paper.values.items():
        accuracy = paper.number((*place[:-1], "accuracy"))
        if place[-1] != "loss" or accuracy is None or not isinstance(printed.value, int | float):
            continue
        least = (1 - accuracy / 100) * LEAST
        if printed.value < least:
            wrong = f"(1 - {accuracy / 100:.4f}) x ln 2 = {least:.4f}"
            arithmetic = f"an image named wrongly costs ln 2 = {LEAST:.4f} or more: {wrong}"
            follows = f"if it is the mean cross-entropy, {least:.4f} or more"
            yield Finding(KIND, paper.label(place), paper.shown(place), follows, arithmetic)
