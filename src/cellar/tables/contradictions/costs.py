"""Memory and time that cannot be one measure: of one network on two data sets, of networks of two sizes."""

from collections.abc import Iterator
from itertools import pairwise

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.reference import MINI_RESEMOTENET

KIND = "costs"
DATASETS = ("FER2013", "RAF-DB")
NETWORKS = ("ResEmoteNet", "E1A", "E4B")  # from the largest
MEASURES = {"memory_mb": ("memory", "MB"), "avg_inference_ms": ("time", "ms")}


def check(paper: Paper) -> Iterator[Finding]:
    if paper.name == MINI_RESEMOTENET:
        for network in NETWORKS:
            yield from on_two_data_sets(paper, network)
        for dataset in DATASETS:
            for larger, smaller in pairwise(NETWORKS):
                yield from slower(paper, dataset, larger, smaller)
                yield from lighter(paper, dataset, larger, smaller)


def cost(paper: Paper, row: str, network: str) -> float:
    value: float = paper.data["tables"]["table_V"]["rows"][row][network]
    return value


def on_two_data_sets(paper: Paper, network: str) -> Iterator[Finding]:
    """A network costs the same whatever the images show, if they are as large: more than twice apart is no noise."""
    for measure, (name, unit) in MEASURES.items():
        values = [cost(paper, f"{dataset}.{measure}", network) for dataset in DATASETS]
        ratio = max(values) / min(values)
        if ratio > 2:
            said = ", ".join(f"{value:,} {unit} on {dataset}" for value, dataset in zip(values, DATASETS, strict=True))
            yield Finding(KIND, f"Table V: {name} of {network}", said, "one value, unless image sizes or batches differ", f"{max(values):,} / {min(values):,} = {ratio:.1f}")  # fmt: skip


def slower(paper: Paper, dataset: str, larger: str, smaller: str) -> Iterator[Finding]:
    """A network with fewer parameters, of the same layers, that takes longer."""
    row = f"{dataset}.avg_inference_ms"
    one, other = (cost(paper, row, network) for network in (larger, smaller))
    if other > one:
        sizes = [cost(paper, "model_size_mb", network) for network in (larger, smaller)]
        said = f"{larger} {one} ms, {smaller} {other} ms"
        arithmetic = f"{smaller} has the same layers at {sizes[1]} MB instead of {sizes[0]} MB"
        yield Finding(KIND, f"Table V: time on {dataset}", said, f"{smaller} is no slower", arithmetic)


def lighter(paper: Paper, dataset: str, larger: str, smaller: str) -> Iterator[Finding]:
    """Two networks whose memory differs by less than their weights do."""
    row = f"{dataset}.memory_mb"
    memory, size = (cost(paper, name, larger) - cost(paper, name, smaller) for name in (row, "model_size_mb"))
    if memory < size:
        said = f"{larger} {cost(paper, row, larger):,} MB, {smaller} {cost(paper, row, smaller):,} MB: {memory:.2f} MB apart"
        arithmetic = f"{cost(paper, 'model_size_mb', larger)} - {cost(paper, 'model_size_mb', smaller)} = {size:.2f} MB of weights alone"  # fmt: skip
        yield Finding(KIND, f"Table V: memory on {dataset}", said, f"{size:.2f} MB apart, or more", arithmetic)
