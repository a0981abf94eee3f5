"""Differences and percentages that the text states, against the printed values that they are made of."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

from cellar.tables.checks import Finding
from cellar.tables.checks.printed_twice import Quantities, repeated
from cellar.tables.claims import Claim
from cellar.tables.printed_values import Paper, Place
from cellar.tables.rounding import agrees

KIND = "difference or percentage"


def check(
    paper: Paper, claims: Mapping[str, Claim], quantities: Callable[[Paper], Quantities] | None = None
) -> Iterator[Finding]:
    """`claims`: key under `derived_claims` -> its values; `quantities`: where these are printed a second time."""
    known = repeated(paper, quantities(paper)) if quantities else {}
    for name, claim in claims.items():
        place = ("derived_claims", name)
        yield from recomputed(paper, place, claim, known)
        yield from in_percent(paper, place, claim)


def recomputed(paper: Paper, place: Place, claim: Claim, known: Quantities) -> Iterator[Finding]:
    printed, digits = paper.number(place), paper.digits(place)
    value = value_of(paper, claim, claim.larger, claim.smaller)
    if printed is None or value is None or agrees(value, printed, digits):
        return
    unit = "%" if claim.relative else "points"
    worked = f"{formula(paper, claim, claim.larger, claim.smaller)} = {value:.{digits}f}"
    other = next(other_values(paper, claim, printed, digits, known), None)
    arithmetic = f"{worked}; {other}" if other else worked
    yield Finding(
        KIND, claim.label(paper), f"{paper.shown(place)} {unit}", f"{value:.{digits}f} {unit}", arithmetic
    )  # fmt: skip


def other_values(paper: Paper, claim: Claim, printed: float, digits: int, known: Quantities) -> Iterator[str]:
    """The same quantities as printed elsewhere, where they give what the text says."""
    ways = [
        next((places for places in known.values() if place in places), [place])
        for place in (claim.larger, claim.smaller)
    ]
    for larger, smaller in product(*ways):
        value = value_of(paper, claim, larger, smaller)
        if value is not None and agrees(value, printed, digits):
            where = dict.fromkeys(paper.label(place).partition(":")[0] for place in (larger, smaller))
            yield f"the text's follows from {formula(paper, claim, larger, smaller)} ({' and '.join(where)})"


def value_of(paper: Paper, claim: Claim, larger: Place, smaller: Place) -> float | None:
    first, second = paper.number(larger), paper.number(smaller)
    return None if first is None or second is None else claim.of(first, second)


def formula(paper: Paper, claim: Claim, larger: Place, smaller: Place) -> str:
    return claim.arithmetic(paper.shown(larger), paper.shown(smaller))


def in_percent(paper: Paper, place: Place, claim: Claim) -> Iterator[Finding]:
    """A difference of percentages is in points; given in %, it reads as a share."""
    entry = paper.data["derived_claims"][place[-1]]
    larger, smaller = paper.number(claim.larger), paper.number(claim.smaller)
    if entry.get("unit_printed") != "%" or entry["unit"] != "points" or not larger or not smaller:
        return
    share = 100 * (larger - smaller) / smaller
    low, high = paper.shown(claim.smaller), paper.shown(claim.larger)
    follows = f"{paper.shown(place)} points, or {share:.2f} %"
    arithmetic = f"{high} - {low} = {larger - smaller:.2f} points; 100 x {larger - smaller:.2f} / {low} = {share:.2f} %"
    yield Finding(KIND, claim.label(paper), f"{paper.shown(place)} %", follows, arithmetic)
