"""Verdicts on printed values, by our own. A verdict is given only where both are of one scale.

reproduced: counts are equal; a printed accuracy lies inside our 95 % interval. differs: it does not.
paper inconsistent: the paper prints the same quantity twice, differently. not comparable: the reason says why.
"""

from collections.abc import Sequence
from typing import Literal

from cellar.config import Scale
from cellar.tables.rounding import is_millions

PAPER = "paper"  # the scale at which accuracies are compared

Verdict = Literal["reproduced", "differs", "paper inconsistent", "not comparable"]
STATUSES = (  # of a printed value: a verdict, or why there is none
    "reproduced", "differs", "paper inconsistent", "not comparable", "same setting", "other setting", "cited",
    "not run", "no value of ours",
)  # fmt: skip
Judgement = tuple[Verdict | None, str | None]


def of_count(ours: float | int, printed: float | int | None) -> Judgement:
    """Counts, and sizes derived from them, need no scale: equal or not."""
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
    scale: Scale,
    obstacle: str | None = None,
) -> Judgement:
    """`interval` is ours, 95 %; `variants` is what the paper prints elsewhere for the same quantity.

    `obstacle`: what makes the two different quantities, at any scale.
    """
    if printed is None:
        return None, None
    small = None if scale.name == PAPER else f"scale {scale.name}: {scale.note}"
    if small or obstacle:
        return "not comparable", "; ".join(filter(None, (small, obstacle)))
    if interval is None:
        return "not comparable", "fewer than 3 runs give no interval of it"
    low, high = interval
    if variants:
        values = [printed, *variants]
        inside = [f"{value:.2f}" for value in values if low <= value <= high]
        different = " and ".join(f"{value:.2f}" for value in values)
        return "paper inconsistent", f"the paper prints {different}; in our interval: {', '.join(inside) or 'none'}"
    if low <= printed <= high:
        return "reproduced", None
    return "differs", f"printed {printed:.2f} lies outside [{low:.2f}, {high:.2f}]"
