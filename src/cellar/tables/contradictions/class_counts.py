"""Counts of images: rows that stand with another class, parts that do not make up their whole."""

from collections.abc import Iterator, Mapping

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.printed import worded
from cellar.tables.reference import CIFAR100_KD, MINI_RESEMOTENET, SMALL_DATASET_KD
from cellar.tables.table_iii import moved_rows

KIND = "counts"
TOTAL = "Total"

Counts = Mapping[str, Mapping[str, int]]  # class -> column -> images


def check(paper: Paper) -> Iterator[Finding]:
    if paper.name == MINI_RESEMOTENET:
        table = paper.data["tables"]["table_III"]
        for column in table["columns"]:
            yield from permuted(table["rows_as_printed"], table["rows_true"], column)
            yield from summed(table["rows_as_printed"], column)
    if paper.name == SMALL_DATASET_KD:
        data = paper.data["dataset"]
        parts = {"identities": data["identities"], "training images of each": data["per_class_train"]}
        yield from whole("Data: training images", data["train_total"], parts, "x")
    if paper.name == CIFAR100_KD:
        rows = paper.data["tables"]["table_1"]["rows"]
        yield from whole("Table 1: total", rows["total"], {name: rows[name] for name in ("train", "test")}, "+")


def permuted(printed: Counts, public: Counts, column: str) -> Iterator[Finding]:
    """Rows that print the public count of another class."""
    moved = moved_rows(dict(printed), dict(public), column)
    if moved:
        said = ", ".join(f"{row} {printed[row][column]:,}" for row, _ in moved)
        follows = ", ".join(f"{row} {public[row][column]:,}" for row, _ in moved)
        arithmetic = "against the data set's public counts: " + ", ".join(f"{row} has {owner}'s" for row, owner in moved)  # fmt: skip
        yield Finding(KIND, f"Table III: {worded(column)}", said, follows, arithmetic)


def summed(printed: Counts, column: str) -> Iterator[Finding]:
    parts = {name: row[column] for name, row in printed.items() if name != TOTAL}
    yield from whole(f"Table III: {worded(column)}, total", printed[TOTAL][column], parts, "+")


def whole(place: str, said: int, parts: Mapping[str, int], sign: str) -> Iterator[Finding]:
    """A total that is not the sum (+) or the product (x) of its parts."""
    value = 1 if sign == "x" else 0
    for part in parts.values():
        value = value * part if sign == "x" else value + part
    if value != said:
        yield Finding(KIND, place, f"{said:,}", f"{value:,}", f" {sign} ".join(f"{one:,}" for one in parts.values()))
