"""A printed accuracy is k of N test images; many a printed value is that of no k."""

from collections.abc import Iterator
from math import floor

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.printed import Place, label
from cellar.tables.reference import MINI_RESEMOTENET, SMALL_DATASET_KD
from cellar.tables.rounding import agrees, cut

KIND = "granularity of k/N"
TEST_COLUMNS = {"FER2013": "fer_private", "RAF-DB": "raf_test"}


def check(paper: Paper) -> Iterator[Finding]:
    """Of each place of a table and of the text; once for each value."""
    seen = set()
    for place, n, what in rates(paper):
        said, digits = paper.number(place), paper.digits(place)
        if said is not None and (said, n) not in seen:
            seen.add((said, n))
            yield from no_count(label(place), paper.shown(place), said, digits, n, what)


def rates(paper: Paper) -> Iterator[tuple[Place, int, str]]:
    """(place, N, of what) of every accuracy whose N is printed too."""
    if paper.name == MINI_RESEMOTENET:
        totals = paper.data["tables"]["table_III"]["rows_as_printed"]["Total"]
        for place in paper.values:
            dataset = next((name for name in TEST_COLUMNS if name in place), None)
            if dataset and place[-1] == "accuracy":
                yield place, totals[TEST_COLUMNS[dataset]], "test images"
    if paper.name == SMALL_DATASET_KD:
        data = paper.data["dataset"]
        for place in paper.values:
            if "train" in place and place[-1] in ("acc", "rec"):  # of a balanced set, macro recall is k / N too
                yield place, data["train_total"], "training images"
            if "test" in place and place[-1] == "acc":
                yield place, data["images"] - data["train_total"], "test images"


def no_count(place: str, shown: str, said: float, digits: int, n: int, what: str) -> Iterator[Finding]:
    below = floor(said * n / 100)
    near = [k for k in (below - 1, below, below + 1, below + 2) if 0 <= k <= n]
    if any(agrees(100 * k / n, said, digits) for k in near):
        return
    exact = ", ".join(f"{k:,} / {n:,} = {100 * k / n:.{digits + 2}f} %" for k in (below, below + 1))
    kept = [k for k in near if cut(100 * k / n, digits) == said]
    follows = f"only if cut off, not rounded: {kept[0]:,} of {n:,}" if kept else f"no number of {n:,} {what} gives it"
    yield Finding(KIND, place, f"{shown} %", follows, exact)
