"""Where the report contradicts itself or its author's code: the checks of its printed values, in the page's order."""

from collections.abc import Iterator
from functools import partial

from cellar.tables.checks import Check, Finding, averages, counts, derived_claims, text_and_code
from cellar.tables.claims import Claim
from cellar.tables.printed_values import Paper

from .printed import ROWS


def accuracy(row: str) -> tuple[str, ...]:
    return ("tables", "table_2", "rows", ROWS[row], "accuracy_mean")


CLAIMS = {"kd_gain": Claim(accuracy("student_kd"), accuracy("student"))}


def image_counts(paper: Paper) -> Iterator[Finding]:
    rows = paper.table("table_1")["rows"]
    parts = {name: rows[name] for name in ("train", "test")}
    yield from counts.whole("Table 1: total", rows["total"], parts, "+")


def means(paper: Paper) -> Iterator[Finding]:
    """Mean and standard deviation against the runs in the author's notebook."""
    table = paper.table("table_2")
    for name, runs in table["per_run"].items():
        row = table["rows"][name]
        mean, sd = row["accuracy_mean"], row["accuracy_sd"]
        yield from averages.of_runs(f"Table 2: {name}", runs["accuracy"], mean, sd, "the author's notebook")


CHECKS: tuple[Check, ...] = (
    partial(derived_claims.check, claims=CLAIMS),
    image_counts,
    means,
    partial(
        text_and_code.check,
        code="from_author_repo",
        whose="its author's code",
        other_names={"epochs": "epochs_actually_run", "kl_weight_best": "kl_weight", "T_best": "T"},
    ),
)
