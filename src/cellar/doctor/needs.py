"""What the chosen scale needs: disk, estimated from the plan; memory, as its stages were measured.

The estimate counts what is large and still to be made: weights by the counted parameters of their architecture, prepared
images, predictions, the store of teacher logits, one checkpoint. Drawn raw files, faces and features are left out.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cellar import files, paths
from cellar.config import Line, Params
from cellar.doctor.data_sets import Extent
from cellar.engine.logit_store import DTYPES, FOLDER, MB
from cellar.errors import CellarError
from cellar.models import parse
from cellar.pipeline.plan import Family
from cellar.provenance.archive.layout import Archive

FLOAT = 4  # bytes
VIEWS = {"flip": 2, "crop_flip": 162}  # that a store of logits has room for (cellar.data.augmentation.views)
COPIES = 2  # the file, and DVC's; where both can share bytes (reflink) it is less


@dataclass(frozen=True)
class Needs:
    """Bytes. `left_out` says, in words, what the estimate of the disk could not count; `memory` is None if unmeasured."""

    disk: int
    left_out: str
    memory: float | None
    memory_stage: str


def estimate(params: Params, families: list[Family], unmade: Collection[str], extents: dict[str, Extent]) -> Needs:
    """`unmade`: the outputs of the plan that are still to be made, or to be made anew."""
    counts, waiting = model_bytes(), set(unmade)
    made = {path: size for path, size in outputs(params, families, extents, counts) if path in waiting}
    # What is made anew takes the place of the old file; DVC keeps the old one beside the new one.
    needed = sum((1 if Path(path).exists() else COPIES) * size for path, size in made.items() if size)
    if any(path.endswith(".safetensors") for path in made):
        needed += logit_stores(params, extents) + largest_checkpoint(params, counts)
    unknown = sum(size is None for size in made.values())
    left_out = f", {unknown} files of unknown size left out" if unknown else ""
    return Needs(needed, left_out, *measured_memory(params, families))


def model_bytes() -> dict[str, int]:
    """Bytes of the weights of every counted architecture."""
    try:
        counted = files.read_json(paths.MODEL_COUNTS)
        return {name: FLOAT * (entry["parameters"] + entry["buffers"]) for name, entry in counted.items()}
    except (CellarError, KeyError, TypeError, AttributeError):
        return {}


def lines_of(params: Params) -> dict[str, Line]:
    """The teachers and students that run, by the place of their results."""
    sections: dict[str, dict[str, Any]] = {"teachers": params.teachers, "students": params.experiments}
    return {
        f"{kind}/{name}": line for kind, lines in sections.items() for name, line in lines.items() if params.is_on(line)
    }


def outputs(
    params: Params, families: list[Family], extents: dict[str, Extent], counts: dict[str, int]
) -> Iterator[tuple[str, int | None]]:
    """(path, bytes) of every large output of the plan; None where nothing tells how many."""
    lines = lines_of(params)
    for family in families:
        for item, stage in zip(family.items.values(), family.stages(), strict=False):
            line, extent = lines.get(f"{item.get('kind')}/{item.get('name')}"), extents.get(item.get("dataset", ""))
            for path in stage.outputs:
                if path.endswith(".safetensors"):
                    yield path, counts.get(parse(line.model)[0]) if line else None
                elif path.endswith("arrays.npz"):
                    yield path, extent.images * extent.image_bytes if extent else None
                elif path.endswith("predictions.npz"):  # of the best and of the last weights; of all images, at most
                    yield path, 2 * FLOAT * extent.images * extent.classes if extent else None


def logit_stores(params: Params, extents: dict[str, Extent]) -> int:
    """Of each teacher of logits: every view of every image of its data set, as far as the budget goes."""
    item, budget = np.dtype(DTYPES[params.teacher_cache.storage]).itemsize, params.teacher_cache.budget_mb * MB
    lines = params.experiments.values()
    teachers = {str(line.teacher) for line in lines if line.method == "logits" and params.is_on(line)}
    total = 0
    for dataset in (params.teachers[name].dataset for name in sorted(teachers)):
        views, extent = VIEWS.get(str(params.datasets[dataset].augmentation), 0), extents.get(dataset)
        total += min(budget, extent.images * views * (extent.classes * item + 1)) if extent else 0
    here = sum(file.stat().st_size for file in FOLDER.glob("*")) if FOLDER.is_dir() else 0
    return max(0, total - here)


def largest_checkpoint(params: Params, counts: dict[str, int]) -> int:
    """Weights, the best ones and what the optimizer keeps; twice, for a new one is whole before the old one goes."""
    sizes = []
    for line in lines_of(params).values():
        recipe = params.recipes[line.recipe]
        kept = 2 if recipe.optimizer == "adam" else int(recipe.momentum > 0)
        sizes.append((2 + kept) * counts.get(parse(line.model)[0], 0))
    return 2 * max(sizes, default=0)


def measured_memory(params: Params, families: list[Family]) -> tuple[float | None, str]:
    """The peak memory of the plan's stages in bytes, and the stage that took it: from an archived run of this scale,
    else from this project's records."""
    stages = {stage.name for family in families for stage in family.stages()}
    archive = Archive(paths.RUNS / params.scale.name)
    peaks = dict(archived_peaks(archive) if archive.folder.is_dir() else own_peaks())
    found = {stage: peak for stage, peak in peaks.items() if stage in stages}
    if not found:
        return None, ""
    largest = max(found, key=lambda stage: found[stage])
    return found[largest] * 1e9, largest


def archived_peaks(archive: Archive) -> Iterator[tuple[str, float]]:
    """(stage, peak memory in GB) of the records that have it; none if the archive cannot be read."""
    try:
        for stage, record in archive.records.items():
            yield from peak_of(record | {"stage": stage})
    except (CellarError, KeyError, TypeError, AttributeError):
        return  # `cellar verify runs/NAME` names the fault


def own_peaks() -> Iterator[tuple[str, float]]:
    for path in sorted(Path("results").rglob("run.json")):
        try:
            yield from peak_of(files.read_json(path))
        except CellarError:
            continue  # `cellar verify` names it


def peak_of(record: Any) -> Iterator[tuple[str, float]]:
    if isinstance(record, dict) and isinstance(record.get("peak_memory_gb"), int | float):
        yield str(record.get("stage")), float(record["peak_memory_gb"])
