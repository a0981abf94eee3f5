"""Two small fabricated checkouts with the same results, one in the old layout and one in the new."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

OLD_RUN, NEW_RUN = "fer2013-E1/seed-0", "mini_resemotenet/fer2013-E1/seed-0"
SHARED_HISTORY = "epoch,train_loss,validation_accuracy"
PER_CLASS = {"happy": {"recall": 71.4}, "sad": {"recall": 25.0}}
SCALARS = {"epoch": 3, "accuracy": 34.25, "macro": {"f1": 20.5}}
DETAILS = {"dataset": "fer2013", "per_class": PER_CLASS, "confusion": [[71, 27], [9, 5]]}
COUNTS = {
    "mini_resemotenet": {"resemotenet": {"parameters": 80238599}},
    "cifar100_kd": {"cnn4": {"parameters": 799652}},
    "small_dataset_kd": {"convnet9": {"parameters": 17625833}},
}


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content)
    else:
        path.write_text(json.dumps(content))


def write_arrays(path: Path, **arrays: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **{name: np.array(value, np.float32) for name, value in arrays.items()})


def write_figure(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), grey).save(path)


def safetensors(value: float) -> bytes:
    header = json.dumps({"layer.bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return len(header).to_bytes(8, "little") + header + np.array([1.0, value], np.float32).tobytes()


def table(accuracy_of: str, stage: str, note: str, **extra: Any) -> dict[str, Any]:
    cell = {"value": 34.25, "kind": "measured", "stage": [stage], "metrics": [accuracy_of], **extra}
    timed = {"value": 8.2, "kind": "timed", "paper": 1.4}
    rows = [{"id": "E1", "cells": {"accuracy": cell}}, {"id": "time", "cells": {"accuracy": timed}}]
    return {"id": "table_v", "notes": [note], "rows": rows}


def write_common(root: Path) -> None:
    """What both layouts have at one place."""
    write(root / "data/raw/sample/pins/pins_Drawn Person 001/1.jpg", b"jpeg")
    write_arrays(root / "data/prepared/fer2013/arrays.npz", labels=[0, 1])
    write(root / "data/prepared/fer2013/manifest.json", {"classes": ["happy", "sad"], "count": 2})
    write(root / "data/faces/pins/000000000.npy", b"images")
    write_arrays(root / "results/features/pins-teacher/held_out.npz", features=[1, 2])
    write(root / "results/audit/fer2013/pairs.csv", "first,second\n1,2\n")
    write(root / "results/metrics/costs/fer2013-resemotenet.json", {"latency_ms": 57.0})
    write_figure(root / "results/figures/fig_3.png", 100)


def write_run(root: Path, run: str, history: str) -> None:
    write(root / f"results/students/{run}/weights.safetensors", safetensors(2.0))
    write_arrays(root / f"results/students/{run}/losses.npz", loss=[0.5, 0.25])
    write_arrays(root / f"results/predictions/students/{run}/predictions.npz", logits=[[1, 2], [3, 4]])
    write(root / f"results/students/{run}/history.csv", history)


def write_old(root: Path) -> Path:
    write_common(root)
    write(
        root / "results/metrics/models.json",
        {name: count for counts in COUNTS.values() for name, count in counts.items()},
    )
    write_run(root, OLD_RUN, f"{SHARED_HISTORY},task_loss,distill_loss\n1,1.5,34.0,1.0,2.0\n")
    write(root / f"results/students/{OLD_RUN}/run.json", {"machine": "old"})
    write(root / "results/code/prepare.txt", "src/cellar/prepare.py")
    write(root / f"results/metrics/students/{OLD_RUN}.json", SCALARS | DETAILS)
    teacher = "results/teachers/fer2013/seed-0/history.csv"
    write(root / teacher, f"{SHARED_HISTORY},task_loss,distill_loss\n1,1.5,,1.5,0.000000\n")
    generator = "results/generators/pins/seed-0/history.csv"
    write(root / generator, "epoch,train_loss,task_loss,distill_loss\n1,2.2,1.2,1.0\n")
    made_from, stage = f"results/metrics/students/{OLD_RUN}.json", "evaluate_student@fer2013-E1-seed-0"
    write(root / "results/tables/table_v.json", table(made_from, stage, "3 seeds are said of it"))
    return root


def write_new(root: Path) -> Path:
    write_common(root)
    for study, counts in COUNTS.items():
        write(root / f"results/metrics/models/{study}.json", counts)
    write_run(root, NEW_RUN, f"{SHARED_HISTORY},task_loss,distill_loss\n1,1.5,34.0,1.0,2.0\n")
    write(root / f"results/metrics/students/{NEW_RUN}.json", SCALARS)
    write(root / f"results/predictions/students/{NEW_RUN}/details.json", DETAILS)
    write(root / "results/resolved/stages.json", {"prepare": {}})
    write(root / "results/metrics/costs/fer2013-resemotenet.json", {"latency_ms": 99.0})
    write(root / "results/teachers/fer2013/seed-0/history.csv", f"{SHARED_HISTORY}\n1,1.500,\n")
    generator = "results/generators/pins/seed-0/history.csv"
    write(root / generator, "epoch,train_loss,discriminator_loss,generator_loss\n1,2.2,1.2,1.0\n")
    made_from = f"results/predictions/students/{NEW_RUN}/details.json"
    content = table(made_from, "evaluate_student", "Mean over 3 seeds", printed_key="tables.V")
    content["rows"][1]["cells"]["accuracy"]["value"] = 9.9
    write(root / "results/tables/table_v.json", content)
    return root
