"""What the run cost, by kind of stage; the longest of them by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cellar.provenance.lineage import Lineage
from cellar.report.head import listed, spent

LONGEST = 12


@dataclass(frozen=True)
class Cost:
    name: str
    stages: int
    time: str
    share: float  # of the whole, in percent
    memory: str
    device: str


@dataclass(frozen=True)
class Costs:
    total: str
    families: list[Cost]
    longest: list[Cost]
    asked: str  # how often teachers were asked


def by_family(graph: Lineage, records: Mapping[str, Mapping[str, Any]]) -> Costs:
    """Of the recorded stages, in the order of dvc.lock. A stage that was resumed counts what its last part took."""
    total = sum(seconds(one) for one in records.values())
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for stage in graph.stages:
        if stage.target in records:
            groups.setdefault(family(stage.target), []).append(records[stage.target])
    families = [cost(name, runs, total) for name, runs in groups.items()]
    longest = sorted(records.items(), key=lambda item: -seconds(item[1]))[:LONGEST]
    return Costs(spent(total), families, [cost(name, [run], total) for name, run in longest], asked(records))


def family(target: str) -> str:
    return target.rpartition(":")[2].partition("-")[0]


def cost(name: str, runs: list[Mapping[str, Any]], total: float) -> Cost:
    took = sum(map(seconds, runs))
    memory = max((float(run["peak_memory_gb"]) for run in runs if run.get("peak_memory_gb")), default=None)
    return Cost(
        name,
        len(runs),
        spent(took),
        100 * took / total if total else 0,
        "" if memory is None else f"{memory:.2f} GB",
        listed(str(run["device"]) for run in runs if run.get("device")),
    )


def seconds(run: Mapping[str, Any]) -> float:
    return float(run.get("seconds", 0))


def asked(records: Mapping[str, Mapping[str, Any]]) -> str:
    taught = [run for run in records.values() if run.get("teacher_images_forwarded") is not None]
    if not taught:
        return ""
    forwarded, trained = (sum(run[key] for run in taught) for key in ("teacher_images_forwarded", "images_trained"))
    return f"Teachers saw {forwarded:,} images while {trained:,} were distilled on; the rest was looked up."
