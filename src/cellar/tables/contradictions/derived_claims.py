"""Differences and percentages that the text states, against the printed values that they are made of."""

from collections.abc import Iterator
from itertools import product

from cellar.tables.claims import CLAIMS, Claim
from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.contradictions.printed_twice import quantities
from cellar.tables.printed import Place, label
from cellar.tables.rounding import agrees

KIND = "difference or percentage"


def check(paper: Paper) -> Iterator[Finding]:
    for name, claim in CLAIMS.get(paper.name, {}).items():
        place = ("derived_claims", name)
        yield from recomputed(paper, place, claim)
        yield from in_percent(paper, place, claim)


def recomputed(paper: Paper, place: Place, claim: Claim) -> Iterator[Finding]:
    said, digits = paper.number(place), paper.digits(place)
    value = of(paper, claim, claim.larger, claim.smaller)
    if said is None or value is None or agrees(value, said, digits):
        return
    unit = "%" if claim.relative else "points"
    worked = f"{told(paper, claim, claim.larger, claim.smaller)} = {value:.{digits}f}"
    other = next(other_values(paper, claim, said, digits), None)
    arithmetic = f"{worked}; {other}" if other else worked
    yield Finding(KIND, claim.label, f"{paper.shown(place)} {unit}", f"{value:.{digits}f} {unit}", arithmetic)


def other_values(paper: Paper, claim: Claim, said: float, digits: int) -> Iterator[str]:
    """The same quantities as printed elsewhere, where they give what the text says."""
    known = quantities(paper).values()
    ways = [next((places for places in known if place in places), [place]) for place in (claim.larger, claim.smaller)]
    for larger, smaller in product(*ways):
        value = of(paper, claim, larger, smaller)
        if value is not None and agrees(value, said, digits):
            where = dict.fromkeys(label(place).partition(":")[0] for place in (larger, smaller))
            yield f"the text's follows from {told(paper, claim, larger, smaller)} ({' and '.join(where)})"


def of(paper: Paper, claim: Claim, larger: Place, smaller: Place) -> float | None:
    one, other = paper.number(larger), paper.number(smaller)
    return None if one is None or other is None else claim.of(one, other)


def told(paper: Paper, claim: Claim, larger: Place, smaller: Place) -> str:
    return claim.arithmetic(paper.shown(larger), paper.shown(smaller))


def in_percent(paper: Paper, place: Place, claim: Claim) -> Iterator[Finding]:
    """A difference of percentages is in points; said in %, it reads as a share."""
    entry = paper.data["derived_claims"][place[-1]]
    larger, smaller = paper.number(claim.larger), paper.number(claim.smaller)
    if entry.get("unit_printed") != "%" or entry["unit"] != "points" or not larger or not smaller:
        return
    share = 100 * (larger - smaller) / smaller
    low, high = paper.shown(claim.smaller), paper.shown(claim.larger)
    follows = f"{paper.shown(place)} points, or {share:.2f} %"
    arithmetic = f"{high} - {low} = {larger - smaller:.2f} points; 100 x {larger - smaller:.2f} / {low} = {share:.2f} %"
    yield Finding(KIND, claim.label, f"{paper.shown(place)} %", follows, arithmetic)
