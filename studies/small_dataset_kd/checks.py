"""Where the paper contradicts itself or its authors' code: the checks of its printed values, in the page's order."""

from collections.abc import Iterator
from functools import partial

from cellar.tables.checks import Check, Finding, averages, counts, granularity, sizes, text_and_code
from cellar.tables.checks.granularity import Rate
from cellar.tables.printed_values import Paper

from .printed import CLASSIFIED, rows, scored

TEXT = "text against tables"
CLAIMED_BEST = "ResNet-18"  # section 7.2: "Highest F1 score is achieved by ResNet-18"
WHOLE = "exact_params_105"  # begins the keys of a network's counts with its last layer
COUNTED = {  # key of a count in printed.yaml -> what it counts
    "trunk": "without its last layer",
    "exact_params_105": "with 105 classes",
    "exact_params_connector2048_105": "with a connector of 2,048 and 105 classes",
    "exact_params_105_v1": "v1 with 105 classes",
    "exact_params_105_with_aux": "with its second head",
}


def image_counts(paper: Paper) -> Iterator[Finding]:
    dataset = paper.data["dataset"]
    parts = {"identities": dataset["identities"], "training images of each": dataset["per_class_train"]}
    yield from counts.whole("Data: training images", dataset["train_total"], parts, "x")


def rates(paper: Paper) -> Iterator[Rate]:
    """Training accuracies, and recalls (of a balanced set macro recall is k / N too), and test accuracies."""
    dataset = paper.data["dataset"]
    for place in paper.values:
        if "train" in place and place[-1] in ("acc", "rec"):
            yield place, dataset["train_total"], "training images"
        if "test" in place and place[-1] == "acc":
            yield place, dataset["images"] - dataset["train_total"], "test images"


def macro_averages(paper: Paper) -> Iterator[Finding]:
    each = paper.data["dataset"]["per_class_train"]
    yield from averages.recalls(paper, scored(paper, "train"), each, "identity")
    yield from averages.thresholded(paper, scored(paper, "test"))


def better_than_claimed(paper: Paper) -> dict[str, float]:
    """Networks of Table 2 with a higher F1 than the one that the text calls the highest."""
    scores = {name: row["test"]["f1"] for name, row in rows("table_2", paper).items()}
    return {name: f1 for name, f1 in scores.items() if f1 > scores[CLAIMED_BEST]}


def highest_f1(paper: Paper) -> Iterator[Finding]:
    better, claimed = better_than_claimed(paper), rows("table_2", paper)[CLAIMED_BEST]["test"]["f1"]
    if better:
        best = max(better, key=better.__getitem__)
        worked = ", ".join(f"{name} {f1:.2f} > {claimed:.2f}" for name, f1 in better.items())
        stated = f"highest F1: {CLAIMED_BEST}, {claimed:.2f}"
        yield Finding(TEXT, "Table 2: F1 on test", stated, f"{best} has the highest", worked)


def last_epoch(paper: Paper) -> int:
    """How long the text trains classifiers."""
    epochs: int = paper.data["hyperparameters"]["from_seed"]["classification"]["epochs"]
    return epochs


def late(paper: Paper, table: str) -> dict[str, int]:
    """Networks of a table whose best epoch is past the last one."""
    last = last_epoch(paper)
    return {name: row["epoch"] for name, row in rows(table, paper).items() if row["epoch"] > last}


def late_epochs(paper: Paper) -> Iterator[Finding]:
    last = last_epoch(paper)
    for table in CLASSIFIED:
        for name, epoch in late(paper, table).items():
            place = paper.label(("tables", table, "rows", name, "epoch"))
            why = f"the text trains for {last} epochs: {epoch} > {last}"
            yield Finding(TEXT, place, f"best epoch {epoch}", f"{last} or less", why)


def worse(paper: Paper) -> Iterator[tuple[str, str, float, float]]:
    """Pretrained weights that do worse than random ones: network, where they come from, both accuracies."""
    alone = rows("table_2", paper)
    for name, row in rows("table_3", paper).items():
        if row["test"]["acc"] < alone[name]["test"]["acc"]:
            yield name, row["init"], row["test"]["acc"], alone[name]["test"]["acc"]


def worse_by_transfer(paper: Paper) -> Iterator[Finding]:
    for name, init, moved, alone in worse(paper):
        printed = f"ACC {moved:.2f} from {init}, {alone:.2f} from scratch"
        worked = f"{moved:.2f} - {alone:.2f} = {moved - alone:.2f} points"
        follows = "transfer no worse than scratch: rows may be swapped"
        yield Finding(TEXT, f"Table 3 and Table 2: {name}, test", printed, follows, worked)


def train_curve(paper: Paper) -> Iterator[Finding]:
    """An accuracy that only the training curve of its figure reaches."""
    curve, printed = paper.data["figures"]["fig_8"]["read_off"], rows("table_1", paper)["ConvNet-9"]["acc"]
    test, train = 100 * curve["test_max"], 100 * curve["train_max"]
    if abs(printed - train) < abs(printed - test):
        worked = f"highest of Figure 8, read by eye: train {train:.0f}, test {test:.0f}"
        yield Finding(TEXT, "Table 1: ConvNet-9, ACC", f"{printed:.2f} %", f"at most {test:.0f} % on test", worked)


def never_applied(paper: Paper) -> Iterator[Finding]:
    """Augmentations that the text lists, and the code has at probability 0."""
    recipes = paper.data["hyperparameters"]
    for name in recipes["from_seed"]["augmentation"]:
        if recipes["from_author_repo"]["augmentation"].get(name, {}).get("p") == 0:
            place = f"Recipe: augmentation, {paper.worded(name)}"
            never = "never applied by the code"
            yield Finding(text_and_code.KIND, place, "applied", never, "its probability there is 0")


CHECKS: tuple[Check, ...] = (
    image_counts,
    partial(sizes.in_millions, words=COUNTED, whole=WHOLE),
    partial(granularity.check, rates=rates),
    macro_averages,
    highest_f1,
    late_epochs,
    worse_by_transfer,
    train_curve,
    partial(
        text_and_code.check,
        code="from_author_repo",
        whose="its authors' code",
        other_names={"kd_labels": "kd_labels_branch"},
    ),
    never_applied,
)
