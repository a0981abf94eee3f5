"""How fast a student is distilled, against a plain loop (plain_loop.py) on the same work.

    python benchmarks/distillation.py        (make bench)

Kinds are measured in turn, each in a process of its own, ROUNDS times; medians. `cold`: the teacher cache is empty, and every image
needs a forward pass; `warm`: the cache is full. Writes results/bench/distillation.json. With a
checkout of RepDistiller, its published loop is measured too (repdistiller.py).
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import plain_loop
import repdistiller
import torch
from keeping import keep

from cellar import models
from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import runtime, training
from cellar.engine.output_store import OutputStore
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.teacher import CachedTeacher, FixedBatchTeacher
from cellar.methods.base import Method, ShuffledSampler
from cellar.methods.labels import Labels
from cellar.methods.logit_kd import LogitKD

ROUNDS, IMAGES, THREADS = 3, 512, 2
WARM_EPOCHS = 3  # of ours, for they are short; the plain loop's second epoch takes as long as all of them
PAIRS = [("resnet32x4", "cnn4", 128), ("resnet32x4", "resnet8x4", 64)]
KINDS = ["plain 0 workers", "plain 2 workers", "ours fp32", "ours bf16"]
PLAIN = [kind for kind in KINDS if kind.startswith("plain")]
LOOPS = {"plain": plain_loop.train, "RepDistiller": repdistiller.train}
RECIPE = {
    "epochs": 1, "learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0005, "class_weighting": "none",
    "schedule": {"step": {"every": 30, "factor": 0.2}}, "select_on": "last_epoch",
}  # fmt: skip
PARAMS = LogitKD.Params(temperature=4, task_weight=0.25, distill_weight=0.75, loss_form="weighted")


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 32, 32, 3) uint8 and labels (N,): noise, for speed does not look at them."""
    generator = np.random.default_rng(0)
    return generator.integers(256, size=(IMAGES, 32, 32, 3), dtype=np.uint8), generator.integers(100, size=IMAGES)


def peer(name: str, teacher: str, student: str, batch: int, workers: int) -> dict[str, float]:
    torch.set_num_threads(THREADS)
    seconds = LOOPS[name](*drawn(), teacher, student, batch, 2, workers)[1]
    return dict.fromkeys(("cold", "warm"), IMAGES / seconds[1])  # it knows no difference


def ours(teacher: str, student: str, batch: int, precision: str) -> dict[str, float]:
    """Images a second of an epoch with an empty teacher cache, and of the same epoch again."""
    device = runtime.prepare(THREADS)
    images, labels = (torch.from_numpy(array) for array in drawn())
    split = Split(images.permute(0, 3, 1, 2).contiguous(), labels, build_augmentation("crop_flip", "cifar100"))
    augmentation = split.augmentation
    network = FixedBatchTeacher(
        lambda: runtime.place(models.build(teacher, 100), device, (128, 3, 32, 32), precision),
        split.images,
        augmentation,
        128,
        precision,
    )
    store = OutputStore({}, IMAGES, augmentation.count, 100, "fp32", 4096)
    model = runtime.place(models.build(student, 100), device, (batch, 3, 32, 32), precision)
    optimizer = Optimizer(model, Recipe.model_validate(RECIPE | {"batch_size": batch}))
    indices = ShuffledSampler(IMAGES, augmentation.count, 0, device)(0)

    def images_per_second(method: Method) -> float:
        start = time.perf_counter()
        method.begin_epoch(0, indices)
        training.train_epoch(model, split, indices, method, optimizer, batch, precision, Progress("", 1))
        return IMAGES / (time.perf_counter() - start)

    images_per_second(Labels(Labels.Params()))  # whatever is slow only the first time
    distillation = LogitKD(PARAMS)
    distillation.teacher = CachedTeacher(network, store)
    cold = images_per_second(distillation)
    rates = {"cold": cold, "warm": median(images_per_second(distillation) for _ in range(WARM_EPOCHS))}
    assert network.images_forwarded == IMAGES
    return rates


def measure(kind: str, teacher: str, student: str, batch: int) -> dict[str, float]:
    """One measurement in a process and a folder of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), kind, teacher, student, str(batch)]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    rates: dict[str, float] = json.loads(done.stdout)
    return rates


def one(kind: str, teacher: str, student: str, batch: int) -> dict[str, float]:
    name, variant = kind.split()[:2]
    if name in LOOPS:
        return peer(name, teacher, student, batch, workers=int(variant))
    return ours(teacher, student, batch, variant)


def main() -> None:
    rows: list[dict[str, Any]] = []
    for teacher, student, batch in PAIRS:
        kinds = KINDS + repdistiller.kinds(teacher, student)
        rounds = [{kind: measure(kind, teacher, student, batch) for kind in kinds} for _ in range(ROUNDS)]
        row: dict[str, Any] = {"teacher": teacher, "student": student, "batch": batch}
        for kind in kinds:
            for state in ("cold", "warm"):
                rates = [measured[kind][state] for measured in rounds]
                ratios = [measured[kind][state] / max(measured[p]["warm"] for p in PLAIN) for measured in rounds]
                row[f"{kind}, {state}"] = {
                    "images_per_second": round(median(rates), 1),
                    "ratio": round(median(ratios), 2),
                    "ratios": [round(ratio, 2) for ratio in sorted(ratios)],
                }
        rows.append(row)
        print(json.dumps(row, indent=2))
    unit = f"images/s of a KD epoch of {IMAGES} images, {THREADS} threads; ratio to the faster of the plain loops"
    keep("distillation", {"unit": unit, "rounds": ROUNDS, "rows": rows})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        kind, teacher, student, batch = sys.argv[1:]
        print(json.dumps(one(kind, teacher, student, int(batch))))
    else:
        main()
