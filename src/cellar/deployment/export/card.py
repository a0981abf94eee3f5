"""The model card of an exported student (Mitchell et al., Model cards for model reporting, 2019): model_card.md.j2,
filled in with what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from cellar import paths
from cellar.data.audit.pairs import leaked_rows, read_pairs
from cellar.data.class_names import SYNONYMS, meaning
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.deployment.export import scores
from cellar.deployment.export.session import FP32, INT8, Student
from cellar.deployment.export.settings import EvaluationOfExport
from cellar.metrics import intervals

NAME, TEMPLATE = "model_card.md", Path(__file__).with_name("model_card.md.j2")
MOST_CLASSES = 20  # whose recalls are listed


def text(
    settings: EvaluationOfExport, image_set: ImageSet, predictions: Mapping[str, np.ndarray], found: Mapping[str, Any]
) -> str:
    """`predictions` and `found`: what the evaluation wrote (scores.of_predictions)."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {"percent": "{:.2f}".format, "interval": interval}
    labels, given = predictions["labels"], predictions["fp32"]
    right = {name: predictions[name].argmax(1) == labels for name in scores.FILES}
    recalls = scores.recalls(given, labels, image_set.classes)
    folder = paths.export(settings.item)
    values = {
        "settings": settings,
        "about": Student(folder / FP32).description,
        "files": {"fp32": FP32, "int8": INT8},
        "found": found,
        "hits": {name: (int(hits.sum()), len(hits)) for name, hits in right.items()},
        "change": intervals.paired_images(right["int8"], right["fp32"]),
        "recalls": recalls if len(recalls) <= MOST_CLASSES else {},
        "clean": without_leaked(settings.student.dataset, predictions["index"], right["fp32"]),
        "images": {split: int((image_set.split == split).sum()) for split in SPLITS},
        "emotions": any(meaning(name) in SYNONYMS for name in image_set.classes),
        "sources": image_set.sources,
    }
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(values).strip() + "\n"


def interval(hits: tuple[int, int]) -> str:
    """95 %, Wilson's, of k right of n."""
    low, high = intervals.wilson(*hits)
    return f"[{low:.2f}, {high:.2f}]"


def without_leaked(dataset: str, index: np.ndarray, right: np.ndarray) -> tuple[int, int]:
    """(right, images) of the test images that no training or validation image is a copy of (docs/audit.md)."""
    clean = ~np.isin(index, leaked_rows(read_pairs(paths.audit_pairs(dataset))))
    return int(right[clean].sum()), int(clean.sum())
