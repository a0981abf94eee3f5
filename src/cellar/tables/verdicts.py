"""Verdicts on printed values, by our own.

reproduced: counts are equal; a printed accuracy lies inside our 95 % interval. differs: it does not.
paper inconsistent: the paper prints the same quantity twice, differently. not comparable: the reason says why
(cellar.tables.comparable).
"""

from collections.abc import Sequence
from typing import Literal

from cellar.tables.rounding import is_millions

Verdict = Literal["reproduced", "differs", "paper inconsistent", "not comparable"]
STATUSES = (  # of a printed value: a verdict, or why there is none
    "reproduced", "differs", "paper inconsistent", "not comparable", "same setting", "other setting", "cited",
    "not run", "no value of ours",
)  # fmt: skip
Judgement = tuple[Verdict | None, str | None]


def of_count(ours: float | int, printed: float | int | None) -> Judgement:
    """Counts, and sizes derived from them, need no training: equal or not."""
    if printed is None:
        return None, None
    if ours == printed:
        return "reproduced", None
    return "differs", f"counted {ours:,}, printed {printed:,}"


def of_millions(ours: int, printed: str) -> Judgement:
    """Parameters printed as `23.5M` or `<25M`: equal when rounded or cut off, or below."""
    agree = is_millions(printed, ours)
    return ("reproduced", None) if agree else ("differs", f"counted {ours:,}, printed {printed}")


def of_accuracy(
    interval: Sequence[float] | None,
    printed: float | None,
    variants: Sequence[float],
    obstacles: Sequence[str],
    precision: str = "fp32",
) -> Judgement:
    """`interval` is ours, 95 %; `variants` is what the paper prints elsewhere for the same quantity.

    `obstacles`: what makes the two different quantities. `precision` of our runs is named, if it is not float32.
    """
    if printed is None:
        return None, None
    if obstacles:
        return "not comparable", "; ".join(obstacles)
    if interval is None:
        return "not comparable", "fewer than 3 runs give no interval of it"
    low, high = interval
    if variants:
        values = [printed, *variants]
        inside = [f"{value:.2f}" for value in values if low <= value <= high]
        different = " and ".join(f"{value:.2f}" for value in values)
        return "paper inconsistent", f"the paper prints {different}; in our interval: {', '.join(inside) or 'none'}"
    named = None if precision == "fp32" else f"computed in {precision}"
    if low <= printed <= high:
        return "reproduced", named
    outside = f"printed {printed:.2f} lies outside [{low:.2f}, {high:.2f}]"
    return "differs", "; ".join(filter(None, (outside, named)))
