"""CIFAR-100 report, Table 1: the data set, counted from what was prepared."""

from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import reference, verdicts
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table
from cellar.tables.table_iii import is_on, manifest

DATASET = "cifar100"
LABELS = {
    "total": "Total dataset",
    "train": "Train set",
    "test": "Test set",
    "data_type": "Data type",
    "image_dimensions": "Image dimensions",
    "channels": "Image channels",
    "classes": "Number of classes",
}
PICKLES = "pickled arrays"  # the layout cifar100, published and drawn alike

Value = int | str


def inputs(params: Params) -> list[str]:
    return [str(paths.REFERENCE), *([str(manifest(DATASET))] if is_on(params, DATASET) else [])]


def build(params: Params) -> Table:
    found = files.read_json(manifest(DATASET)) if is_on(params, DATASET) else None
    ours = counted(found) if found else {}
    rows = [
        Row(key, LABELS[key], {"description": cell(ours.get(key), text_of(printed), params)})
        for key, printed in reference.table("table_1", reference.CIFAR100_KD)["rows"].items()
    ]
    title = "Table 1. CIFAR-100 dataset overview"
    columns = [Column("description", "description")]
    return Table(
        "cifar100_table_1", title, reference.CIFAR100_KD, params.scale.model_dump(), notes(found), columns, rows
    )


def counted(found: dict[str, Any]) -> dict[str, Value]:
    """The rows from a manifest. Images held out to validate on are the report's training images."""
    images = images_of(found)
    height, width, *channels = found["image_shape"]
    return {
        "total": sum(images.values()),
        "train": images["train"] + images.get("validation", 0),
        "test": images["test"],
        "data_type": PICKLES if found["layout"] == DATASET else f"layout {found['layout']}",
        "image_dimensions": f"{height}x{width}",
        "channels": channels[0] if channels else 1,
        "classes": len(found["classes"]),
    }


def images_of(found: dict[str, Any]) -> dict[str, int]:
    return {split: sum(counts.values()) for split, counts in found["counts"].items()}


def text_of(printed: Any) -> Value:
    return "x".join(map(str, printed)) if isinstance(printed, list) else printed


def cell(ours: Value | None, printed: Value, params: Params) -> Cell:
    unit = "count" if isinstance(printed, int) else None
    if ours is None:
        return Cell("not_run", unit=unit, paper=printed, reason=NOT_RUN.reason)
    verdict, reason = judge(ours, printed, params)
    return Cell(
        "counted", ours, unit, printed, None, verdict, reason,
        stage=[f"prepare@{DATASET}"], metrics=[str(manifest(DATASET))],
    )  # fmt: skip


def judge(ours: Value, printed: Value, params: Params) -> verdicts.Judgement:
    """Equal or not, where the images are the published ones."""
    if params.scale.drawn:
        return "not comparable", f"scale {params.scale.name}: {params.scale.note}"
    if isinstance(ours, int) and isinstance(printed, int):
        return verdicts.of_count(ours, printed)
    return ("reproduced", None) if ours == printed else ("differs", f"found {ours}, printed {printed}")


def notes(found: dict[str, Any] | None) -> list[str]:
    held = images_of(found).get("validation", 0) if found else 0
    printed = reference.table("table_1", reference.CIFAR100_KD)["rows"]["data_type"]
    kept = [f"Train set: {held:,} of these images are held out to validate on, where a recipe asks for it."]
    return [
        *(kept if held else []),
        f"Data type: the report says {printed}, but CIFAR-100 is published as Python pickles of uint8 arrays.",
    ]
