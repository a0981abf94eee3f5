"""The printed values of the report."""

from collections.abc import Mapping
from typing import Any

from cellar.tables import printed_values
from cellar.tables.printed_values import Paper

KEY = "cifar100_kd"
DATASET = "cifar100"
ROWS = {  # row of experiments, or teacher -> printed label in Table 2
    "teacher": "Teacher (ResNet32x4)",
    "student": "Student (without KD)",
    "student_kd": "Student (with KD)",
}


def paper() -> Paper:
    return printed_values.paper(KEY)


def table(name: str) -> dict[str, Any]:
    """A printed table, such as `table_2`."""
    return paper().table(name)


def claimed_gain() -> dict[str, Any]:
    claim: dict[str, Any] = paper().data["derived_claims"]["kd_gain"]
    return claim


def images() -> Mapping[str, Mapping[str, int]]:
    """The image counts of Table 1, as the audit shows them."""
    rows = table("table_1")["rows"]
    return {DATASET: {"learnt": rows["train"], "test": rows["test"]}}
