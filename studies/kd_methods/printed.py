"""The printed accuracies: how pairs and methods are called there and in params.yaml, and which table stands beside a cell."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from cellar.tables import printed_values
from cellar.tables.printed_values import Paper, Place

KEY, DATASET = "kd_methods", "cifar100"
TEACHER, STUDENT = "Teacher", "Student"  # rows of the printed tables
ALONE, KD = "alone", "kd"
# method of params.yaml -> its rows in the printed tables, the first for headings
LABELS: dict[str, tuple[str, ...]] = {
    ALONE: (STUDENT,),
    KD: ("KD",),
    "kd_lskd": ("KD+LSKD",),
    "dkd": ("DKD",),
    "dkd_lskd": ("DKD+LSKD",),
    "nkd": ("NKD",),
    "dist": ("DIST",),
    "ttm": ("TTM",),
    "wttm": ("WTTM",),
    "mlkd": ("MLKD",),
    "mlkd_lskd": ("MLKD+LSKD",),
    "ofa": ("OFA",),
    "ctkd": ("CTKD", "KD+CTKD"),
    "fitnet": ("FitNet",),
    "at": ("AT",),
    "sp": ("SP",),
    "cc": ("CC",),
    "vid": ("VID",),
    "rkd": ("RKD",),
    "pkt": ("PKT",),
    "nst": ("NST",),
    "fsp": ("FSP",),
    "ab": ("AB",),
    "ft": ("FT",),
    "crd": ("CRD",),
    "reviewkd": ("ReviewKD",),
    "ofd": ("OFD",),
    "ickd": ("ICKD", "ICKD-C without KL"),
    "srrl": ("SRRL",),
    "simkd": ("SimKD", "SimKD (f=2)"),
    "semckd": ("SemCKD",),
}
METHODS = {label: method for method, labels in LABELS.items() for label in labels}
NETWORKS = {  # name in params.yaml, without what pairs leave out -> of the network
    "resnet50": "resnet50_cifar",
    "mobilenet_v2": "mobilenet_v2_half",
}
OWN_SPELLING = {"ResNet50": "resnet50", "MobileNetV2": "mobilenet_v2", "ShuffleNetV1": "shufflenet_v1", "ShuffleNetV2": "shufflenet_v2"}  # fmt: skip


def paper() -> Paper:
    return printed_values.paper(KEY)


def hyperparameters() -> dict[str, Any]:
    found: dict[str, Any] = paper().data["hyperparameters"]
    return found


def tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = paper().data["tables"]
    return found


@cache
def own_pair(printed: str) -> str:
    """The name of a pair in params.yaml: `ResNet50->MobileNetV2` is resnet50-mobilenet_v2."""
    return "-".join(OWN_SPELLING.get(name, re.sub(r"\W", "_", name.lower())) for name in printed.split("->"))


def printed_pairs() -> dict[str, str]:
    """Name of a pair in params.yaml -> as the tables print it."""
    return pairs_of(paper())


@lru_cache(maxsize=4)
def pairs_of(paper: Paper) -> dict[str, str]:
    rows = [row for table in paper.data["tables"].values() for row in table["rows"].values()]
    return {own_pair(pair): pair for row in rows for pair in row}


def networks(pair: str) -> tuple[str, str]:
    """Teacher's and student's networks of a pair of params.yaml whose name is a printed one's."""
    teacher, _, student = pair.partition("-")
    return NETWORKS.get(teacher, teacher), NETWORKS.get(student, student)


def beside(pair: str, labels: tuple[str, ...], best_on_test: bool) -> Place | None:
    """Where the value stands that is shown beside ours, of the best epoch on the test set or of the last: in the first table
    with RepDistiller's protocol that has it."""
    return next((place for place in places(pair, labels) if (place[3] in best_rows(place[1])) == best_on_test), None)


def places(pair: str, labels: tuple[str, ...]) -> Iterator[Place]:
    """Where tables with RepDistiller's protocol print a method for a pair of params.yaml."""
    for name, table in tables().items():
        for label in labels if "protocol" not in table else ():
            for printed in table["rows"].get(label, {}):
                if own_pair(printed) == pair:
                    yield "tables", name, "rows", label, printed


def best_rows(table: str) -> list[str]:
    """The rows of a table whose numbers are of the best epoch on the test set."""
    rows: list[str] = tables()[table].get("best_on_test", [])
    return rows
