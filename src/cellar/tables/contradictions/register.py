"""All checks, and what they find in all papers."""

from collections.abc import Iterator

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

CHECKS = [  # one KIND and one `check` each, in the order of the page
    printed_twice,
    derived_claims,
    class_counts,
    sizes,
    granularity,
    averages,
    losses,
    costs,
    claims_of_text,
    text_and_code,
]


def findings(paper: Paper) -> Iterator[Finding]:
    """All of one study; a check of what it does not print finds nothing."""
    for one in CHECKS:
        yield from one.check(paper)
