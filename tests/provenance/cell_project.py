"""A made-up project of one table, for explain and diff: its cell has a chain of five stages in two locks, one of them with a record."""

from pathlib import Path
from typing import Any

import yaml

from cellar import files
from cellar.pipeline import records
from cellar.provenance import lineage
from cellar.provenance.lineage import Stage

STUDY = "mini_resemotenet"
LOCK, STUDY_LOCK = Path("dvc.lock"), Path(f"studies/{STUDY}/results/dvc.lock")
DRAWN, PREPARED, TEACHER = "make_synthetic-fer2013", "prepare-fer2013", "train_teacher-fer2013-seed-0"
STUDENT, EVALUATION, TABULATED = (  # as their own dvc.yaml has them
    "distill_student-fer2013-E1-seed-0", "evaluate_student-fer2013-E1-seed-0", "tabulate-table_vi"
)  # fmt: skip
PRINTED = "tables.table_VI.rows"
METRICS = "results/metrics/students/mini_resemotenet/fer2013-E1/seed-0.json"
COMMIT = "a" * 40
RUN: dict[str, Any] = {
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
    "reason": "synthetic images",
    "interval": [55.0, 67.0],
    "metrics": [METRICS],
    "printed_key": f"{PRINTED}.Student Model A(E1).fer2013_accuracy",
}
TABLE: dict[str, Any] = {
    "id": "table_vi",
    "title": "Table VI. Accuracy",
    "study": "mini_resemotenet",
    "scale": {"name": "sample", "synthetic": True, "note": "a sample"},
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
CODE = {f"src/cellar/{name}": f"{i}" * 32 for i, name in enumerate(("metrics", "files.py", "models/cnn4.py"))}


def target(name: str, file: Path = STUDY_LOCK) -> str:
    """What `dvc repro` calls a stage of the study."""
    return f"{file.with_suffix('.yaml')}:{name}"


def entries(**md5s: str) -> list[dict[str, str]]:
    return [{"path": path, "hash": "md5", "md5": value} for path, value in md5s.items()]


def settings(stage: str, values: dict[str, Any], study: str = STUDY) -> dict[str, Any]:
    """Resolved settings as a lock has them."""
    return {f"results/resolved/{study or 'shared'}/{stage}.json": values}


def stages() -> dict[str, Any]:
    """Of the root's lock. Written out of order, so that the order shown is explain's own."""
    arrays, teacher = "data/prepared/fer2013/arrays.npz", "results/teachers/t"
    return {
        DRAWN: {"cmd": "draw", "outs": entries(**{"data/raw/faces": "aa.dir"})},
        "unrelated": {"cmd": "other", "outs": entries(**{"elsewhere": "00"})},
        TEACHER: {"cmd": "teach", "deps": entries(**{arrays: "bb"}), "outs": entries(**{teacher: "cc"})},
        PREPARED: {
            "cmd": "prepare",
            "deps": entries(**{"data/raw/faces": "aa.dir"}),
            "outs": entries(**{arrays: "bb"}),
        },
    }


def study_stages() -> dict[str, Any]:
    """Of the study's own lock."""
    arrays, weights, teacher = "data/prepared/fer2013/arrays.npz", "results/students/w", "results/teachers/t"
    return {
        STUDENT: {
            "cmd": "distill",
            "deps": entries(**{teacher: "cc", arrays: "bb"}),
            "outs": entries(**{weights: "dd"}),
        },
        EVALUATION: {
            "cmd": "python -m cellar evaluate_student\n  fer2013-E1/seed-0 --study mini_resemotenet",
            "deps": entries(**CODE, **{weights: "dd", arrays: "bb"}),
            "params": settings(EVALUATION, {"threads": 2, "method": {"name": "logit_kd", "temperature": 3}}),
            "outs": entries(**{METRICS: "ee"}),
        },
        TABULATED: {
            "cmd": "tabulate",
            "deps": entries(**{METRICS: "ee"}),
            "outs": entries(**{"results/tables/table_vi.json": "99"}),
        },
    }


def lock(path: Path, found: dict[str, Any]) -> None:
    files.write_text(path, yaml.safe_dump({"schema": "2.0", "stages": found}, sort_keys=False))


def record(stage: Stage, **facts: Any) -> Path:
    """Write the record of a run that made what the lock says of a stage."""
    inputs, outputs = ({file.path: file.md5 for file in kept} for kept in (stage.reads, stage.makes))
    described = {"command": stage.command, "settings": stage.params, "inputs": inputs, "outputs": outputs}
    path = records.place(stage.study, stage.name, records.digest(*described.values()))
    files.write_json(path, {"stage": stage.name, "study": stage.study, **described, **RUN, **facts})
    return path


def evaluation() -> Stage:
    """The stage that has a record, as the lock has it now."""
    made = lineage.load().maker(METRICS)
    assert made is not None
    return made[0]


def write() -> None:
    """The project's files, into the current directory."""
    files.write_json(Path("results/tables/table_vi.json"), TABLE)
    lock(LOCK, stages())
    lock(STUDY_LOCK, study_stages())
    record(evaluation())
    Path("dvc.yaml").write_text("stages: {prepare-fer2013: {}}\n")
    planned = {
        f"tabulate-{name}": {"cmd": "x", "outs": [{f"results/tables/{name}.json": {"cache": False}}]}
        for name in ("table_vi", "table_iv")
    }
    files.write_text(STUDY_LOCK.with_suffix(".yaml"), yaml.safe_dump({"stages": planned}, sort_keys=False))
