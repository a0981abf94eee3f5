"""A made-up project of one table, for explain and diff: its cell has a chain of five stages, one of them with a record."""

from pathlib import Path
from typing import Any

import yaml

from cellar import files

PRINTED = "tables.table_VI.rows"
METRICS = "results/metrics/students/fer2013-E1/seed-0.json"
COMMIT = "a" * 40
RUN = {
    "commit": COMMIT,
    "dirty": True,
    "python": "3.11.7",
    "versions": {"torch": "2.13.0", "numpy": "2.3.0", "dvc": "3.67"},
    "machine": {"host": "vm", "system": "Linux"},
    "device": "cpu",
    "device_name": "a processor",
    "threads": 2,
    "seed": 0,
    "started": "2030-01-01T00:00:00+00:00",
    "seconds": 12.5,
    "code": "c0de",
    "peak_memory_gb": 1.5,
    "resumed_from_epoch": 3,
}
MEASURED = {
    "value": 61.5,
    "kind": "measured",
    "unit": "%",
    "paper": 76.33,
    "paper_variants": [76.42],
    "verdict": "not comparable",
    "reason": "scale sample",
    "interval": [55.0, 67.0],
    "metrics": [METRICS],
    "printed_key": f"{PRINTED}.Student Model A(E1).fer2013_accuracy",
}
TABLE = {
    "id": "table_vi",
    "title": "Table VI. Accuracy",
    "study": "mini_resemotenet",
    "scale": {"name": "sample", "drawn": True, "note": "drawn"},
    "notes": [],
    "columns": [
        {"id": "fer2013_accuracy", "label": "FER2013 accuracy (%)", "unit": "%"},
        {"id": "parameters", "label": "parameters", "unit": "count"},
    ],
    "rows": [
        {
            "id": "qcs",
            "label": "QCS",
            "cells": {
                "parameters": {"value": 82874119, "kind": "reported", "printed_key": f"{PRINTED}.QCS.parameters"}
            },
        },
        {
            "id": "E1",
            "label": "Student Model A(E1)",
            "cells": {
                "fer2013_accuracy": MEASURED,
                "parameters": {"value": None, "kind": "not_run", "paper": 20069383, "reason": "switched off"},
            },
        },
        {
            "id": "E4",
            "label": "Student Model B(E4)",
            "cells": {"fer2013_accuracy": {**MEASURED, "metrics": ["other.json"]}},
        },
    ],
}
CODE = {f"src/cellar/{name}.py": f"{i}" * 32 for i, name in enumerate(("metrics/classification", "files", "models"))}


def entries(**md5s: str) -> list[dict[str, str]]:
    return [{"path": path, "hash": "md5", "md5": value} for path, value in md5s.items()]


def stages() -> dict[str, Any]:
    """Written out of order, so that the order of the story is explain's own."""
    arrays, weights, teacher = "data/prepared/fer2013/arrays.npz", "results/students/w", "results/teachers/t"
    return {
        "draw_faces@fer2013": {"cmd": "draw", "outs": entries(**{"data/raw/faces": "aa.dir"})},
        "unrelated": {"cmd": "other", "outs": entries(**{"elsewhere": "00"})},
        "train_teacher@fer2013-seed-0": {
            "cmd": "teach",
            "deps": entries(**{arrays: "bb"}),
            "outs": entries(**{teacher: "cc"}),
        },
        "prepare@fer2013": {
            "cmd": "prepare",
            "deps": entries(**{"data/raw/faces": "aa.dir"}),
            "outs": entries(**{arrays: "bb"}),
        },
        "distill_student@fer2013-E1-seed-0": {
            "cmd": "distill",
            "deps": entries(**{teacher: "cc", arrays: "bb"}),
            "outs": entries(**{weights: "dd"}),
        },
        "evaluate_student@fer2013-E1-seed-0": {
            "cmd": "python -m cellar evaluate_student fer2013-E1\n  --seed 0",
            "deps": entries(**CODE, **{weights: "dd", arrays: "bb"}),
            "params": {"params.yaml": {"threads": 2, "evaluation": {"batch_size": 128}}},
            "outs": entries(**{METRICS: "ee", "results/predictions/run.json": "ff"}),
        },
        "tabulate_table_vi": {
            "cmd": "tabulate",
            "deps": entries(**{METRICS: "ee"}),
            "outs": entries(**{"results/tables/table_vi.json": "99"}),
        },
    }


def lock(path: Path, found: dict[str, Any]) -> None:
    files.write_text(path, yaml.safe_dump({"schema": "2.0", "stages": found}, sort_keys=False))


def write() -> None:
    """The project's files, into the current directory."""
    files.write_json(Path("results/tables/table_vi.json"), TABLE)
    files.write_json(Path("results/predictions/run.json"), RUN)
    lock(Path("dvc.lock"), stages())
    Path("dvc.yaml").write_text("stages: {tabulate_table_vi: {}, tabulate_table_iv: {}, prepare: {}}\n")
