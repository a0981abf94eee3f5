"""What the chosen scale needs: disk, estimated from the plan; memory, as its stages were measured.

The estimate counts what is large and still to be made: weights by the counted parameters of their architecture, prepared
images, predictions, the stores of teachers' outputs, one checkpoint. Synthetic raw files, faces and features are left out.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.config import Config
from cellar.config.resolved import RunSettings, TrainingSettings
from cellar.doctor.data_sets import Extent
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.models import parse
from cellar.pipeline.stage import Stage
from cellar.provenance import records
from cellar.provenance.archive.layout import Archive
from cellar.provenance.lineage import Lineage

FLOAT = 4  # bytes
LOGIT_BYTES = {"fp32": 4, "fp16": 2}
MB = 2**20
VIEWS = {"flip": 2, "crop_flip": 162}  # that a store of logits has room for (cellar.data.inputs.augmentation)
COPIES = 2  # the file, and DVC's; where both can share bytes (reflink) it is less


@dataclass(frozen=True)
class Needs:
    """Bytes. `left_out` says, in words, what the estimate of the disk could not count; `memory` is None if unmeasured."""

    disk: int
    left_out: str
    memory: float | None
    memory_stage: str


def estimate(
    config: Config, stages: list[Stage], unmade: Collection[str], extents: dict[str, Extent], graph: Lineage
) -> Needs:
    """`unmade`: the outputs of the plan that are still to be made, or to be made anew."""
    counts, waiting = model_bytes(), set(unmade)
    made = {path: size for path, size in outputs(stages, extents, counts) if path in waiting}
    # What is made anew takes the place of the old file; DVC keeps the old one beside the new one.
    needed = sum((1 if Path(path).exists() else COPIES) * size for path, size in made.items() if size)
    if any(path.endswith(".safetensors") for path in made):
        needed += teacher_stores(config, stages, extents) + largest_checkpoint(stages, counts)
    unknown = sum(size is None for size in made.values())
    left_out = f", {unknown} files of unknown size left out" if unknown else ""
    return Needs(needed, left_out, *measured_memory(config, stages, graph))


def model_bytes() -> dict[str, int]:
    """Bytes of the weights of every counted architecture."""
    try:
        counted: dict[str, dict[str, int]] = {}
        for path in sorted((paths.METRICS / "models").glob("*.json")):
            counted |= files.read_json(path)
        return {name: FLOAT * (entry["parameters"] + entry["buffers"]) for name, entry in counted.items()}
    except (CellarError, LookupError, TypeError, AttributeError):
        return {}


def outputs(
    stages: list[Stage], extents: dict[str, Extent], counts: dict[str, int]
) -> Iterator[tuple[str, int | None]]:
    """(path, bytes) of every large output of the plan; None where nothing tells how many."""
    for stage in stages:
        settings = stage.job.settings
        model, dataset = getattr(settings, "model", ""), getattr(settings, "dataset", "")
        extent = extents.get(dataset)
        for path in stage.outputs:
            if path.endswith(".safetensors"):
                yield path, counts.get(parse(model)[0]) if model else None
            elif path.endswith("arrays.npz"):
                yield path, extent.images * extent.image_bytes if extent else None
            elif path.endswith("predictions.npz"):  # of the best and of the last weights; of all images, at most
                yield path, 2 * FLOAT * extent.images * extent.classes if extent else None


def teacher_stores(config: Config, stages: list[Stage], extents: dict[str, Extent]) -> int:
    """Of each teacher its logits: every augmentation of every image of its data set, as far as the budget goes; and features."""
    cache = config.teacher_cache
    item, budget = LOGIT_BYTES[cache.storage], cache.budget_mb * MB
    taught = [stage.job.settings for stage in stages if isinstance(stage.job.settings, RunSettings)]
    datasets = {one.teacher.weights: one.dataset for one in taught if one.teacher and not one.teacher.features}
    total = 0
    for dataset in datasets.values():
        views, extent = VIEWS.get(str(config.datasets[dataset].augmentation), 0), extents.get(dataset)
        total += min(budget, extent.images * views * (extent.classes * item + 1)) if extent else 0
    total += sum(feature_stores(config, taught, extents))
    here = sum(file.stat().st_size for file in paths.TEACHER_LOGITS.glob("*")) if paths.TEACHER_LOGITS.is_dir() else 0
    return max(0, total - here)


def feature_stores(config: Config, taught: list[RunSettings], extents: dict[str, Extent]) -> Iterator[int]:
    """Bytes of each store of vectors or maps: one for each teacher and what methods need of it."""
    asked = [(registry.needs_teacher(one.method_file), one) for one in taught if isinstance(one, TrainingSettings)]
    stores = {(one.teacher.weights, need): one for need, one in asked if one.teacher and need in ("vector", "last_map")}
    for (_, need), one in stores.items():
        from cellar.engine.taught_features import images_worth_holding  # imports torch
        from cellar.engine.teacher import Content
        from cellar.models import features

        extent, teacher, cache = extents.get(one.dataset), one.teacher, config.teacher_cache
        views = VIEWS.get(str(config.datasets[one.dataset].augmentation), 0)
        if extent and teacher and views:
            served = features.of(teacher.model, teacher.model_file, teacher.input.input_size, 1)
            content = Content.of(need, extent.classes, served)
            held = images_worth_holding(extent.images, views, content, cache, one.recipe.epochs)
            yield held * views * (content.width * LOGIT_BYTES[cache.storage] + 1)


def largest_checkpoint(stages: list[Stage], counts: dict[str, int]) -> int:
    """Weights, the best ones and what the optimizer keeps; twice, for a new one is whole before the old one goes."""
    sizes = []
    for settings in (stage.job.settings for stage in stages):
        if isinstance(settings, TrainingSettings):
            moments = 2 if settings.recipe.optimizer == "adam" else int(settings.recipe.momentum > 0)
            sizes.append((2 + moments) * counts.get(parse(settings.model)[0], 0))
    return 2 * max(sizes, default=0)


def measured_memory(config: Config, stages: list[Stage], graph: Lineage) -> tuple[float | None, str]:
    """The most that a stage of the plan took, in bytes, and which: from an archived run of this scale, else from here."""
    addresses = {stage.address for stage in stages}
    archive = Archive(paths.RUNS / config.scale.name)
    peaks = dict(archived_peaks(archive)) if archive.folder.is_dir() else own_peaks(graph)
    measured = {stage: peak for stage, peak in peaks.items() if stage in addresses}
    if not measured:
        return None, ""
    largest = max(measured, key=lambda stage: measured[stage])
    return measured[largest] * 1e9, largest


def archived_peaks(archive: Archive) -> Iterator[tuple[str, float]]:
    """(stage, peak memory in GB) of the records that have it; none if the archive cannot be read."""
    try:
        for stage, record in archive.records.items():
            yield from peak_of(record | {"stage": stage})
    except (CellarError, LookupError, TypeError, AttributeError):
        return  # `cellar verify runs/NAME` names the fault


def own_peaks(graph: Lineage) -> dict[str, float]:
    """Stage -> peak memory in GB, from the records that are here."""
    peaks: dict[str, float] = {}
    for stage in graph.stages:
        with suppress(CellarError):  # `cellar verify` reports it
            peaks |= dict(peak_of((records.read(stage) or {}) | {"stage": stage.target}))
    return peaks


def peak_of(record: Any) -> Iterator[tuple[str, float]]:
    if isinstance(record, dict) and isinstance(record.get("peak_memory_gb"), int | float):
        yield str(record.get("stage")), float(record["peak_memory_gb"])
