"""All checks, and what they find in all papers."""

from collections.abc import Callable, Iterator

from cellar.tables.contradictions import (
    averages,
    claims_of_text,
    class_counts,
    costs,
    derived_claims,
    granularity,
    losses,
    printed_twice,
    sizes,
    text_and_code,
)
from cellar.tables.contradictions.paper import Finding, Paper

CHECKS: list[Callable[[Paper], Iterator[Finding]]] = [
    printed_twice.check,
    derived_claims.check,
    class_counts.check,
    sizes.check,
    granularity.check,
    averages.check,
    losses.check,
    costs.check,
    claims_of_text.check,
    text_and_code.check,
]


def findings(paper: Paper) -> Iterator[Finding]:
    for check in CHECKS:
        yield from check(paper)
