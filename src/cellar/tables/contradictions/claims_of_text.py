"""What the text says of its tables and figures in words, against their numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.tables.contradictions.averages import CLASSIFIED
from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.printed import label
from cellar.tables.reference import MINI_RESEMOTENET, SMALL_DATASET_KD

KIND = "text against tables"
CLAIMED_BEST = "ResNet-18"  # small-dataset study, section 7.2: "Highest F1 score is achieved by ResNet-18"


def check(paper: Paper) -> Iterator[Finding]:
    if paper.name == MINI_RESEMOTENET:
        yield from best_alphas(paper)
    if paper.name == SMALL_DATASET_KD:
        yield from highest(paper)
        yield from late_epochs(paper)
        yield from worse_by_transfer(paper)
        yield from train_curve(paper)


def best_alphas(paper: Paper) -> Iterator[Finding]:
    """An alpha that the text calls best, and that is the worst of a student's."""
    called = paper.data["hyperparameters"]["from_seed"]["alphas_best"]
    students: dict[str, dict[float, float]] = {}
    for row in paper.data["tables"]["table_IV"]["FER2013"].values():
        if row["alpha"] is not None:
            students.setdefault(row["model"], {})[row["alpha"]] = row["accuracy"]
    for student, by_alpha in students.items():
        worst = min(by_alpha, key=lambda alpha: by_alpha[alpha])
        if len(by_alpha) > 1 and worst in called:
            said = f"best alphas: {' and '.join(f'{alpha:.2f}' for alpha in called)}"
            ranked = sorted(by_alpha.items(), key=lambda one: -one[1])
            arithmetic = ", ".join(f"alpha {alpha:.2f}: {accuracy:.2f} %" for alpha, accuracy in ranked)
            yield Finding(KIND, f"Table IV: {student} on FER2013", said, f"{worst:.2f} is its worst of {len(by_alpha)}", arithmetic)  # fmt: skip


def rows(data: Mapping[str, Any], table: str) -> Mapping[str, dict[str, Any]]:
    found: Mapping[str, dict[str, Any]] = data["tables"][table]["rows"]
    return found


def better_than_claimed(data: Mapping[str, Any]) -> dict[str, float]:
    """Networks of Table 2 with a higher F1 than the one that the text calls the highest."""
    scores = {name: row["test"]["f1"] for name, row in rows(data, "table_2").items()}
    return {name: f1 for name, f1 in scores.items() if f1 > scores[CLAIMED_BEST]}


def highest(paper: Paper) -> Iterator[Finding]:
    better, claimed = better_than_claimed(paper.data), rows(paper.data, "table_2")[CLAIMED_BEST]["test"]["f1"]
    if better:
        best = max(better, key=better.__getitem__)
        worked = ", ".join(f"{name} {f1:.2f} > {claimed:.2f}" for name, f1 in better.items())
        said = f"highest F1: {CLAIMED_BEST}, {claimed:.2f}"
        yield Finding(KIND, "Table 2: F1 on test", said, f"{best} has the highest", worked)


def late(data: Mapping[str, Any], table: str) -> dict[str, int]:
    """Networks of a table whose best epoch is past the last one."""
    last = data["hyperparameters"]["from_seed"]["classification"]["epochs"]
    return {name: row["epoch"] for name, row in rows(data, table).items() if row["epoch"] > last}


def late_epochs(paper: Paper) -> Iterator[Finding]:
    last = paper.data["hyperparameters"]["from_seed"]["classification"]["epochs"]
    for table in CLASSIFIED:
        for name, epoch in late(paper.data, table).items():
            place = label(("tables", table, "rows", name, "epoch"))
            why = f"the text trains for {last} epochs: {epoch} > {last}"
            yield Finding(KIND, place, f"best epoch {epoch}", f"{last} or less", why)


def worse(data: Mapping[str, Any]) -> Iterator[tuple[str, str, float, float]]:
    """Weights learnt elsewhere that do worse than none: network, where they come from, and both accuracies."""
    alone = rows(data, "table_2")
    for name, row in rows(data, "table_3").items():
        if row["test"]["acc"] < alone[name]["test"]["acc"]:
            yield name, row["init"], row["test"]["acc"], alone[name]["test"]["acc"]


def worse_by_transfer(paper: Paper) -> Iterator[Finding]:
    for name, init, moved, alone in worse(paper.data):
        said = f"ACC {moved:.2f} from {init}, {alone:.2f} from scratch"
        worked = f"{moved:.2f} - {alone:.2f} = {moved - alone:.2f} points"
        follows = "transfer no worse than scratch: rows may be swapped"
        yield Finding(KIND, f"Table 3 and Table 2: {name}, test", said, follows, worked)


def train_curve(paper: Paper) -> Iterator[Finding]:
    """An accuracy that only the training curve of its figure reaches."""
    curve, printed = paper.data["figures"]["fig_8"]["read_off"], rows(paper.data, "table_1")["ConvNet-9"]["acc"]
    test, train = 100 * curve["test_max"], 100 * curve["train_max"]
    if abs(printed - train) < abs(printed - test):
        worked = f"highest of Figure 8, read by eye: train {train:.0f}, test {test:.0f}"
        yield Finding(KIND, "Table 1: ConvNet-9, ACC", f"{printed:.2f} %", f"at most {test:.0f} % on test", worked)
