"""Table `exports`: networks as ONNX files: what the files themselves give for the test images, and how fast."""

from dataclasses import replace
from typing import Any

import numpy as np

from cellar import files, paths
from cellar.config import Export, Params
from cellar.metrics import intervals
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import DIGITS, interval_of, rounded

ID = "exports"
COLUMNS = [
    Column("accuracy", "accuracy (%)", "%"),
    Column("change", "minus PyTorch (points)", "points"),
    Column("agreement", "same class as PyTorch (%)", "%"),
    Column("difference", "largest difference"),
    Column("calibration", "calibration error (%)", "%"),
    Column("size", "file (MB)", "MB"),
    Column("speed", "images/s, one core"),
]
FORMS = {"pytorch": "PyTorch", "fp32": "ONNX, fp32", "int8": "ONNX, int8"}
OF_FILES = Cell("derived", reason="a value of the files alone")


def shown(params: Params) -> list[str]:
    """The exports whose data set is on."""
    return [name for name, export in params.exports.items() if params.is_on(params.exported(export))]


def inputs(params: Params) -> list[str]:
    places = [f"{params.study}/{name}" for name in shown(params)]
    return [
        str(path(place))
        for place in places
        for path in (paths.export_metrics, paths.export_predictions, paths.export_speed)
    ]


def shown_params(params: Params) -> list[str]:
    """All exports, whose names may have dots: a key of one could not be told from another's name."""
    return ["scale", "exports"]


def build(params: Params) -> Table:
    rows = []
    for name in shown(params):
        scores = files.read_json(paths.export_metrics(f"{params.study}/{name}"))
        source = source_text(params.exports[name])
        for form, words in FORMS.items():
            rows.append(Row(f"{name}-{form}", f"{name} ({source}): {words}", cells(params, name, form, scores)))
    return Table(ID, "Networks as files", params.study, params.scale.model_dump(), notes(), COLUMNS, rows)


def source_text(export: Export) -> str:
    """Such as "experiment fer2013-E6", with the seed where one is stated."""
    section, source = export.source
    return f"{section.removesuffix('s')} {source}" + ("" if export.seed is None else f", seed {export.seed}")


def cells(params: Params, name: str, form: str, scores: dict[str, Any]) -> dict[str, Cell]:
    place, own = f"{params.study}/{name}", scores[form]
    stage, read = stage_of(params, name), str(paths.export_metrics(place))
    found = {
        "accuracy": accuracy_cell(own, scores["n"]),
        "calibration": Cell("measured", own["calibration_error"], "%"),
    }
    if form != "pytorch":
        found |= {
            "agreement": Cell("measured", own["agreement"], "%"),
            "difference": Cell("measured", own["largest_difference"]),
            "size": Cell("counted", round(own["bytes"] / 1e6, DIGITS), "MB"),
        }
    measured = {key: replace(cell, stage=[stage], metrics=[read]) for key, cell in found.items()}
    if form == "pytorch":
        return measured | dict.fromkeys(("change", "agreement", "difference", "size", "speed"), OF_FILES)
    return measured | {"change": change_cell(place, form, stage), "speed": speed_cell(params.study, name, form)}


def stage_of(params: Params, name: str) -> str:
    return paths.stage_address("evaluate_export", name, params.study, results=True)


def accuracy_cell(own: dict[str, Any], images: int) -> Cell:
    interval, n, method = interval_of([own["accuracy"]], [images])
    return Cell("measured", own["accuracy"], "%", n=n, interval=rounded(interval), method=method)


def change_cell(place: str, form: str, stage: str) -> Cell:
    """Accuracy minus PyTorch's on the same images, in points, with its interval."""
    path = paths.export_predictions(place)
    kept = files.read_arrays(path)
    hits, others = (kept[name].argmax(1) == kept["labels"] for name in (form, "logits"))
    mean, interval = intervals.paired_images(np.asarray(hits), np.asarray(others))
    method = f"paired on {len(hits)} images (Agresti and Min)"
    return Cell(
        "derived", round(mean, DIGITS), "points", n=len(hits), interval=rounded(interval), method=method, stage=[stage],
        metrics=[str(path)],
    )  # fmt: skip


def speed_cell(study: str, name: str, form: str) -> Cell:
    path = paths.export_speed(f"{study}/{name}")
    speed = files.read_json(path)["latency"][form]["images_per_second"]
    stage = paths.stage_address("time_export", name, study)
    return Cell("timed", speed, "images/s", stage=[stage], metrics=[str(path)])


def notes() -> list[str]:
    return [
        "Every number of a file was measured with that file, run by onnxruntime; docs/using.md says how it is used.",
        "Largest difference: of a probability from PyTorch's, over all test images and classes. Calibration error: "
        "expected calibration error, 15 bins of equal width. MB of 10^6 bytes.",
    ]
