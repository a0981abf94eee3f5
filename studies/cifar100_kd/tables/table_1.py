"""CIFAR-100 report, Table 1: the data set, counted from what was prepared."""

from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import verdicts
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table, keyed
from cellar.tables.runs import is_on, manifest

from ..printed import DATASET, KEY, table

LABELS = {
    "total": "Total dataset",
    "train": "Train set",
    "test": "Test set",
    "data_type": "Data type",
    "image_dimensions": "Image dimensions",
    "channels": "Image channels",
    "classes": "Number of classes",
}
PICKLES = "pickled arrays"  # the layout cifar100, published and synthetic alike

Value = int | str


def inputs(params: Params) -> list[str]:
    return [str(paths.printed(KEY)), *([str(manifest(DATASET))] if is_on(params, DATASET) else [])]


def shown_params(params: Params) -> list[str]:
    """Whether the images are synthetic decides whether they are judged."""
    return ["scale", *([f"datasets.{DATASET}.source"] if is_on(params, DATASET) else [])]


def build(params: Params) -> Table:
    prepared = files.read_json(manifest(DATASET)) if is_on(params, DATASET) else None
    ours = counted(prepared) if prepared else {}
    rows = [
        Row(key, LABELS[key], {"description": cell(key, ours.get(key), text_of(printed), params)})
        for key, printed in table("table_1")["rows"].items()
    ]
    title = "Table 1. CIFAR-100 dataset overview"
    columns = [Column("description", "description")]
    return Table("cifar100_table_1", title, KEY, params.scale.model_dump(), notes(prepared), columns, rows)


def counted(prepared: dict[str, Any]) -> dict[str, Value]:
    """The rows from a manifest. Images held out to validate on are the report's training images."""
    images = images_of(prepared)
    height, width, *channels = prepared["image_shape"]
    return {
        "total": sum(images.values()),
        "train": images["train"] + images.get("validation", 0),
        "test": images["test"],
        "data_type": PICKLES if prepared["layout"] == DATASET else f"layout {prepared['layout']}",
        "image_dimensions": f"{height}x{width}",
        "channels": channels[0] if channels else 1,
        "classes": len(prepared["classes"]),
    }


def images_of(prepared: dict[str, Any]) -> dict[str, int]:
    return {split: sum(counts.values()) for split, counts in prepared["counts"].items()}


def text_of(printed: Any) -> Value:
    return "x".join(map(str, printed)) if isinstance(printed, list) else printed


def cell(row: str, ours: Value | None, printed: Value, params: Params) -> Cell:
    unit, key = "count" if isinstance(printed, int) else None, ("tables", "table_1", "rows", row)
    if ours is None:
        return keyed(Cell("not_run", unit=unit, paper=printed, reason=NOT_RUN.reason), *key)
    verdict, reason = judge(ours, printed, params)
    counted = Cell(
        "counted", ours, unit, printed, None, verdict, reason,
        stage=[paths.stage_address("prepare", DATASET)], metrics=[str(manifest(DATASET))],
    )  # fmt: skip
    return keyed(counted, *key)


def judge(ours: Value, printed: Value, params: Params) -> verdicts.Judgement:
    """Equal or not, where the images are the published ones."""
    if params.datasets[DATASET].is_synthetic:
        return "not comparable", "synthetic images"
    if isinstance(ours, int) and isinstance(printed, int):
        return verdicts.of_count(ours, printed)
    return ("reproduced", None) if ours == printed else ("differs", f"found {ours}, printed {printed}")


def notes(prepared: dict[str, Any] | None) -> list[str]:
    held = images_of(prepared).get("validation", 0) if prepared else 0
    printed = table("table_1")["rows"]["data_type"]
    held_out = [f"Train set: {held:,} of these images are held out to validate on, where a recipe asks for it."]
    return [
        *(held_out if held else []),
        f"Data type: the report says {printed}, but CIFAR-100 is published as Python pickles of uint8 arrays.",
    ]
