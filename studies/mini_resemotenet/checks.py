"""Where the paper contradicts itself: the checks of its printed values, in the order of the page."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from cellar.tables.checks import (
    Check,
    Finding,
    counts,
    derived_claims,
    granularity,
    losses,
    printed_twice,
    sizes,
    text_and_code,
)
from cellar.tables.checks.granularity import Rate
from cellar.tables.checks.sizes import Size
from cellar.tables.printed_values import Paper

from .claims import CLAIMS
from .printed import IN_TABLE_V, quantities
from .tables.table_i import COUNTED

COSTS = "costs"
TEXT = "text against tables"
DATASETS = ("FER2013", "RAF-DB")
TEST_COLUMNS = {"FER2013": "fer_private", "RAF-DB": "raf_test"}  # of Table III
NETWORKS = ("ResEmoteNet", "E1A", "E4B")  # of Table V, from the largest
MEASURES = {"memory_mb": ("memory", "MB"), "avg_inference_ms": ("time", "ms")}
II_IN_V = {"ResEmoteNet": "ResEmoteNet", "Student Model A": IN_TABLE_V["E1"], "Student Model B": IN_TABLE_V["E4"]}
TOTAL = "Total"


def image_counts(paper: Paper) -> Iterator[Finding]:
    """Table III: rows that print another class's counts, and totals."""
    table = paper.table("table_III")
    printed, public = table["rows_as_printed"], table["rows_true"]
    for column in table["columns"]:
        place = f"Table III: {paper.worded(column)}"
        yield from counts.permuted(place, printed, public, column)
        parts = {name: row[column] for name, row in printed.items() if name != TOTAL}
        yield from counts.whole(f"{place}, total", printed[TOTAL][column], parts, "+")


def network_sizes(paper: Paper) -> Iterator[Finding]:
    """Tables I and V count megabytes in two ways; two rows of Table I count other networks than they name."""
    yield from sizes.two_conventions(printed_sizes(paper))
    for name, network in COUNTED.items():
        if ":" in network:
            place = ("tables", "table_I", "rows", name, "total_parameters")
            yield from sizes.other_network(paper, place, f"Table I: parameters of {name}", network)


def printed_sizes(paper: Paper) -> Iterator[Size]:
    """Every size whose parameters are printed too; Table II has the parameters of Table V's networks."""
    for name, row in paper.table("table_I")["rows"].items():
        shown = paper.shown(("tables", "table_I", "rows", name, "model_size_mb"))
        yield Size("Table I", name, row["total_parameters"], row["model_size_mb"], shown)
    for name, row in paper.table("table_II")["rows"].items():
        place = ("tables", "table_V", "rows", "model_size_mb", II_IN_V.get(name, ""))
        size = paper.number(place)
        if size is not None:
            yield Size("Table V", name, row["total_parameters"], size, paper.shown(place))


def rates(paper: Paper) -> Iterator[Rate]:
    """Every test accuracy on a data set whose test images Table III counts."""
    totals = paper.table("table_III")["rows_as_printed"][TOTAL]
    for place in paper.values:
        dataset = next((name for name in TEST_COLUMNS if name in place), None)
        if dataset and place[-1] == "accuracy":
            yield place, totals[TEST_COLUMNS[dataset]], "test images"


def costs(paper: Paper) -> Iterator[Finding]:
    """Memory and time that cannot be one measure: of one network on two data sets, of networks of two sizes."""
    for network in NETWORKS:
        yield from on_two_data_sets(paper, network)
    for dataset in DATASETS:
        for larger, smaller in pairwise(NETWORKS):
            yield from slower(paper, dataset, larger, smaller)
            yield from lighter(paper, dataset, larger, smaller)


def cost(paper: Paper, row: str, network: str) -> float:
    value: float = paper.table("table_V")["rows"][row][network]
    return value


def on_two_data_sets(paper: Paper, network: str) -> Iterator[Finding]:
    """A network costs the same whatever images of one size show: a factor above two is no noise."""
    for measure, (name, unit) in MEASURES.items():
        values = [cost(paper, f"{dataset}.{measure}", network) for dataset in DATASETS]
        ratio = max(values) / min(values)
        if ratio > 2:
            shown = ", ".join(f"{value:,} {unit} on {dataset}" for value, dataset in zip(values, DATASETS, strict=True))
            follows = "one value, unless image sizes or batches differ"
            arithmetic = f"{max(values):,} / {min(values):,} = {ratio:.1f}"
            yield Finding(COSTS, f"Table V: {name} of {network}", shown, follows, arithmetic)


def slower(paper: Paper, dataset: str, larger: str, smaller: str) -> Iterator[Finding]:
    """A network with fewer parameters, of the same layers, that takes longer."""
    times = [cost(paper, f"{dataset}.avg_inference_ms", network) for network in (larger, smaller)]
    if times[1] > times[0]:
        megabytes = [cost(paper, "model_size_mb", network) for network in (larger, smaller)]
        shown = f"{larger} {times[0]} ms, {smaller} {times[1]} ms"
        arithmetic = f"{smaller} has the same layers at {megabytes[1]} MB instead of {megabytes[0]} MB"
        yield Finding(COSTS, f"Table V: time on {dataset}", shown, f"{smaller} is no slower", arithmetic)


def lighter(paper: Paper, dataset: str, larger: str, smaller: str) -> Iterator[Finding]:
    """Two networks whose memory differs by less than their weights do."""
    row = f"{dataset}.memory_mb"
    memory, weights = (cost(paper, name, larger) - cost(paper, name, smaller) for name in (row, "model_size_mb"))
    if memory < weights:
        used = [f"{network} {cost(paper, row, network):,} MB" for network in (larger, smaller)]
        sizes_of = [f"{cost(paper, 'model_size_mb', network)}" for network in (larger, smaller)]
        shown = f"{', '.join(used)}: {memory:.2f} MB apart"
        arithmetic = f"{' - '.join(sizes_of)} = {weights:.2f} MB of weights alone"
        yield Finding(COSTS, f"Table V: memory on {dataset}", shown, f"{weights:.2f} MB apart, or more", arithmetic)


def best_alphas(paper: Paper) -> Iterator[Finding]:
    """An alpha that the text calls best, and that is the worst of a student's."""
    called = paper.data["hyperparameters"]["from_seed"]["alphas_best"]
    students: dict[str, dict[float, float]] = {}
    for row in paper.table("table_IV")["FER2013"].values():
        if row["alpha"] is not None:
            students.setdefault(row["model"], {})[row["alpha"]] = row["accuracy"]
    for student, by_alpha in students.items():
        worst = min(by_alpha, key=lambda alpha: by_alpha[alpha])
        if len(by_alpha) > 1 and worst in called:
            stated = f"best alphas: {' and '.join(f'{alpha:.2f}' for alpha in called)}"
            ranked = sorted(by_alpha.items(), key=lambda item: -item[1])
            arithmetic = ", ".join(f"alpha {alpha:.2f}: {accuracy:.2f} %" for alpha, accuracy in ranked)
            follows = f"{worst:.2f} is its worst of {len(by_alpha)}"
            yield Finding(TEXT, f"Table IV: {student} on FER2013", stated, follows, arithmetic)


CHECKS: tuple[Check, ...] = (
    partial(printed_twice.check, quantities=quantities),
    partial(derived_claims.check, claims=CLAIMS, quantities=quantities),
    image_counts,
    network_sizes,
    partial(granularity.check, rates=rates),
    losses.check,
    costs,
    best_alphas,
    partial(
        text_and_code.check,
        code="defaults_from_teacher_author_repo",
        whose="the code of the teacher's authors",
        other_names={"scheduler": "scheduler_in_code"},
    ),
)
