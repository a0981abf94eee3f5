"""One quantity, printed in several places with different values."""

from collections.abc import Callable, Iterator

from cellar.tables.checks import Finding
from cellar.tables.numbers import number_text
from cellar.tables.printed_values import Paper, Place

KIND = "printed twice"

Quantities = dict[str, list[Place]]  # name -> where it is printed


def check(paper: Paper, quantities: Callable[[Paper], Quantities]) -> Iterator[Finding]:
    """`quantities`: every place where a quantity may be printed; those that are not are left out."""
    for name, places in repeated(paper, quantities(paper)).items():
        values = {place: paper.number(place) or 0 for place in places}
        low, high = min(places, key=values.__getitem__), max(places, key=values.__getitem__)
        if values[low] != values[high]:
            printed = "; ".join(f"{paper.label(place).partition(':')[0]}: {paper.shown(place)}" for place in places)
            gap = number_text(round(values[high] - values[low], 4), None)
            yield Finding(KIND, name, printed, "one value", f"{paper.shown(high)} - {paper.shown(low)} = {gap}")


def repeated(paper: Paper, quantities: Quantities) -> Quantities:
    """Those that are printed twice or more."""
    printed = {name: [place for place in places if paper.number(place) is not None] for name, places in quantities.items()}  # fmt: skip
    return {name: places for name, places in printed.items() if len(places) > 1}
