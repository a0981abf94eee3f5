"""The printed values of the paper."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.tables import printed_values
from cellar.tables.checks.averages import Scored
from cellar.tables.printed_values import Paper

KEY = "small_dataset_kd"
DATASET = "pins"
NETWORKS = {  # printed name -> cellar.models name
    "ConvNet-9": "convnet9",
    "ResNet-50": "resnet50_vggface2",
    "ResNet-18": "resnet18",
    "InceptionV3": "inception_v3",
    "MobileNet": "mobilenet_v1",
}
OF_CODE = {"resnet18_vggface2": "resnet18"}  # the authors' code's own form of a network -> the one that the paper cites
CLASSIFIED = ("table_2", "table_3", "table_4", "table_5", "table_6")

Rows = Mapping[str, dict[str, Any]]  # network -> what its row prints


def paper() -> Paper:
    return printed_values.paper(KEY)


def data() -> dict[str, Any]:
    return paper().data


def rows(table: str, of: Paper | None = None) -> Rows:
    """The rows of a printed table, such as `table_2`."""
    printed: Rows = (of or paper()).table(table)["rows"]
    return printed


def scored(paper: Paper, split: str) -> Iterator[Scored]:
    """Every row of a split that prints all four scores."""
    for table in CLASSIFIED:
        for name, row in rows(table, paper).items():
            if {"f1", "pre", "rec", "acc"} <= row[split].keys():
                yield ("tables", table, "rows", name, split), row[split]


def images() -> Mapping[str, Mapping[str, int]]:
    """The image counts that the paper prints or implies, as the audit shows them."""
    counts = data()["dataset"]
    return {DATASET: {"learnt": counts["train_total"], "test": counts["test_total"]["value"]}}
