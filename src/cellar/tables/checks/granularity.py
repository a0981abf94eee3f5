"""A printed accuracy is k of N test images; many a printed value is that of no k."""

from collections.abc import Callable, Iterable, Iterator
from math import floor

from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper, Place
from cellar.tables.rounding import agrees, cut

KIND = "granularity of k/N"

Rate = tuple[Place, int, str]  # where it is printed, N, and what of: `test images`


def check(paper: Paper, rates: Callable[[Paper], Iterable[Rate]]) -> Iterator[Finding]:
    """`rates`: every printed accuracy whose N is printed too. Each value is reported once."""
    seen = set()
    for place, n, what in rates(paper):
        printed, digits = paper.number(place), paper.digits(place)
        if printed is not None and (printed, n) not in seen:
            seen.add((printed, n))
            yield from no_count(paper.label(place), paper.shown(place), printed, digits, n, what)


def no_count(place: str, shown: str, printed: float, digits: int, n: int, what: str) -> Iterator[Finding]:
    below = floor(printed * n / 100)
    near = [k for k in (below - 1, below, below + 1, below + 2) if 0 <= k <= n]
    if any(agrees(100 * k / n, printed, digits) for k in near):
        return
    exact = ", ".join(f"{k:,} / {n:,} = {100 * k / n:.{digits + 2}f} %" for k in (below, below + 1))
    truncated = [k for k in near if cut(100 * k / n, digits) == printed]
    follows = (
        f"only if cut off, not rounded: {truncated[0]:,} of {n:,}"
        if truncated
        else f"no number of {n:,} {what} gives it"
    )
    yield Finding(KIND, place, f"{shown} %", follows, exact)
