"""Parameters as the papers print them: the base.yaml of each study, and manifests with the printed image counts."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cellar import files, paths

STUDIES = Path(__file__).parents[1] / "studies"
SECTIONS = ("recipes", "faces", "published", "teachers", "experiments")
COUNTS = {  # Table III of Mini-ResEmoteNet, Table 1 of the report, section 6 of the small-dataset study
    "fer2013": {"train": 28709, "validation": 3589, "test": 3589},
    "raf_db": {"train": 11044, "validation": 1227, "test": 3068},
    "cifar100": {"train": 45000, "validation": 5000, "test": 10000},
    "pins": {"train": 3360, "validation": 525, "test": 13649},
}

Raw = dict[str, Any]


def become_printed(raw: Raw, *studies: str) -> None:
    """Turn the studies of a params.yaml into the papers' own, on photographs."""
    for study in studies:
        printed = base(study)
        raw["scale"] = printed["scale"]
        raw["datasets"] |= printed["datasets"]
        raw["studies"][study] |= {key: printed[key] for key in SECTIONS if key in printed}
        for dataset in printed["datasets"]:
            write_counts(dataset, **COUNTS[dataset])


def base(study: str) -> Raw:
    return deepcopy(read(study))


@cache
def read(study: str) -> Raw:
    printed: Raw = yaml.safe_load((STUDIES / study / "params" / "base.yaml").read_text(encoding="utf-8"))
    return printed


def write_counts(dataset: str, **images: int) -> None:
    """A manifest with so many images of each split, all of one class."""
    counts = {split: {"happy": number} for split, number in images.items()}
    head = {"dataset": dataset, "layout": dataset, "classes": ["happy"], "image_shape": [32, 32, 3]}
    files.write_json(paths.prepared(dataset) / "manifest.json", {**head, "counts": counts})
