"""How the time of a distillation grows with images, epochs, seeds and experiments, and how often the teacher runs.

    python benchmarks/scaling.py        (make bench)

Each point is a study of its own from an empty teacher cache: for every experiment and seed a new student, ResNet8x4 taught by
ResNet32x4, in fp32. One factor grows, the others stay. Seconds are those of the teacher's passes and of the students' steps,
medians of ROUNDS in turn. Writes results/bench/scaling.json.
"""

import tempfile
import time
from contextlib import chdir
from statistics import median
from typing import Any

import numpy as np
import torch
from keeping import keep

from cellar import models
from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import runtime, training
from cellar.engine.output_store import OutputStore
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.teacher import CachedTeacher, FixedBatchTeacher
from cellar.methods.base import ShuffledSampler
from cellar.methods.logit_kd import LogitKD

TEACHER, STUDENT, SIDE, BATCH, THREADS, ROUNDS = "resnet32x4", "resnet8x4", 32, 32, 2, 3
BASE = {"images": 64, "epochs": 2, "seeds": 1, "experiments": 1}
GROWN = 4
RECIPE = {
    "epochs": 1, "batch_size": BATCH, "learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0005, "class_weighting": "none",
    "schedule": {"step": {"every": 30, "factor": 0.2}}, "select_on": "last_epoch",
}  # fmt: skip
PARAMS = LogitKD.Params(temperature=4, task_weight=0.25, distill_weight=0.75, loss_form="weighted")


def study(images: int, epochs: int, seeds: int, experiments: int) -> dict[str, float]:
    """Seconds of the whole, and the teacher's forward passes; every image has two augmentations."""
    device, generator = torch.device("cpu"), np.random.default_rng(0)
    pixels = torch.from_numpy(generator.integers(256, size=(images, 3, SIDE, SIDE), dtype=np.uint8))
    split = Split(
        pixels, torch.from_numpy(generator.integers(100, size=images)), build_augmentation("flip", "cifar100")
    )
    shape = (BATCH, 3, SIDE, SIDE)
    network = FixedBatchTeacher(
        lambda: runtime.place(models.build(TEACHER, 100), device, shape),
        split.images,
        split.augmentation,
        BATCH,
        "fp32",
    )
    store = OutputStore({}, images, split.augmentation.count, 100, "fp32", 64)
    assert network.model is not None  # built before the clock starts
    start = time.perf_counter()
    for _ in range(experiments):
        for seed in range(seeds):
            distil(split, CachedTeacher(network, store), epochs, seed, shape)
    return {"seconds": time.perf_counter() - start, "teacher_passes": network.images_forwarded}


def distil(split: Split, teacher: CachedTeacher, epochs: int, seed: int, shape: tuple[int, int, int, int]) -> None:
    torch.manual_seed(seed)
    device = split.labels.device
    model = runtime.place(models.build(STUDENT, 100), device, shape)
    optimizer, method = Optimizer(model, Recipe.model_validate(RECIPE)), LogitKD(PARAMS)
    method.teacher = teacher
    sampler = ShuffledSampler(len(split.labels), split.augmentation.count, seed, device)
    for epoch in range(epochs):
        method.begin_epoch(epoch, indices := sampler(epoch))
        training.train_epoch(model, split, indices, method, optimizer, BATCH, "fp32", Progress(None, 1))


def measured(**sizes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        return study(**sizes)


def main() -> None:
    runtime.prepare(THREADS)
    cases = {"base": BASE} | {factor: BASE | {factor: BASE[factor] * GROWN} for factor in BASE}
    measured(**BASE)  # whatever is slow only the first time
    rounds = [{name: measured(**sizes) for name, sizes in cases.items()} for _ in range(ROUNDS)]
    rows: list[dict[str, Any]] = []
    for name, sizes in cases.items():
        students = sizes["images"] * sizes["epochs"] * sizes["seeds"] * sizes["experiments"]
        row: dict[str, Any] = {"study": "as it is" if name == "base" else f"{GROWN} times the {name}", **sizes}
        row |= {"images_distilled": students, "teacher_passes": rounds[0][name]["teacher_passes"]}
        row["seconds"] = round(median(one[name]["seconds"] for one in rounds), 2)
        row["ratio"] = round(median(one[name]["seconds"] / one["base"]["seconds"] for one in rounds), 2)
        rows.append(row)
        print(row, flush=True)
    keep("scaling", {"threads": THREADS, "rounds": ROUNDS, "teacher": TEACHER, "student": STUDENT, "rows": rows})


if __name__ == "__main__":
    main()
