"""The exported files on the test images: what is measured of a student holds for the file that is used."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from cellar import files, paths
from cellar.data.inputs import prepared
from cellar.deployment.export import card, scores
from cellar.deployment.export.session import FP32, INT8, Student, in_colour
from cellar.deployment.export.settings import EvaluationOfExport
from cellar.errors import CellarError


def run(settings: EvaluationOfExport) -> dict[str, Any]:
    """Write predictions, metrics and the model card; return facts for the run record."""
    folder = paths.export(settings.item)
    image_set = prepared.load(paths.prepared(settings.student.dataset))
    kept = by_pytorch(settings)
    images = in_colour(image_set.images[kept["index"]])
    given = {name: Student(folder / file).probabilities(images) for name, file in (("fp32", FP32), ("int8", INT8))}
    predictions = {**kept, **given}
    found = scores.of_predictions(predictions)
    for name, file in (("fp32", FP32), ("int8", INT8)):
        found[name]["bytes"] = (folder / file).stat().st_size
    files.write_arrays(paths.export_predictions(settings.item), **predictions)
    files.write_json(paths.export_metrics(settings.item), found)
    files.write_text(folder / card.NAME, card.text(settings, image_set, predictions, found))
    return {"threads": 1, "device": "cpu", "optional_versions": {"onnxruntime": onnxruntime.__version__}}


def by_pytorch(settings: EvaluationOfExport) -> dict[str, np.ndarray]:
    """Logits (N, C), labels and rows (N,) of the test images as `evaluate_student` saved them."""
    student = settings.student
    path: Path = paths.predictions(student.kind, student.key, student.seed) / "predictions.npz"
    saved = files.read_arrays(path)
    try:
        return {name: saved[name] for name in ("logits", "labels", "index")}
    except KeyError as error:
        raise CellarError(f"{path} has no array {error}; remove it and build it again") from None
