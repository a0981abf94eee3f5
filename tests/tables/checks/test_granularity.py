"""Which percentages are k of N."""

import pytest

from cellar.tables.checks import granularity


@pytest.mark.parametrize(
    ("said", "n", "what"),
    [("42.86", 7, None), ("42.85", 7, "only if cut off, not rounded: 3 of 7"), ("42.84", 7, "no number of 7 images gives it"),
     ("0.00", 7, None), ("100.00", 7, None), ("43", 7, None), ("100.01", 7, "no number of 7 images gives it")],
)  # fmt: skip
def test_sevenths(said: str, n: int, what: str | None) -> None:
    """3 / 7 = 42.857 %."""
    one = list(granularity.no_count("here", said, float(said), len(said.partition(".")[2]), n, "images"))
    assert [finding.follows for finding in one] == ([what] if what else [])


def test_every_k_of_n_is_silent() -> None:
    for k in range(3590):
        said = f"{100 * k / 3589:.2f}"
        assert not list(granularity.no_count("here", said, float(said), 2, 3589, "images"))
