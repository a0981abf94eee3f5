"""The whole of CIFAR-100's Table 2, 5 + 5 runs, from one command, against the plain loop run one after the other.

    python benchmarks/table_2.py        (make bench)

Ours: this commit in clones of its own, `snakemake results/tables/cifar100_table_2.md` timed with everything in it
(planning, DVC, start of every process, training, evaluation, tables); data and teacher are there before. Cold: the
teacher has said nothing yet; warm: a second clone that has what it said. Two trainings of
one thread each run at once, as the default profile has it. Plain, of two threads: plain_loop.py; two epochs and one
pass over the test set are timed, without and with a teacher, and taken times EPOCHS and runs. Writes
results/bench/table_2.json.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import plain_loop
import torch
import yaml
from keeping import keep

from cellar import models, paths
from cellar.data.inputs import prepared
from cellar.paths import TEACHER_LOGITS as LOGITS

STUDY, KD = "cifar100_kd", "cifar100-student_kd"
TEACHER, STUDENT, WEIGHTS = "resnet32x4", "cnn4", "teacher.pth"
IMAGES, TEST, EPOCHS, RUNS, BATCH, CORES = 2600, 1000, 10, 5, 128, 2
PRECISIONS = ("bf16",)  # fp32 is in distillation.py; here its cold cache alone would take 20 minutes
TABLE = "results/tables/cifar100_table_2.md"


def small(shipped: dict[str, Any], precision: str) -> dict[str, Any]:
    """params.yaml with nothing but this table; the teacher's weights are a file, for training it is not measured."""
    study = shipped["studies"][STUDY]
    raw = shipped | {"precision": precision, "threads": 1, "studies": {STUDY: study}}
    raw["datasets"] = {"cifar100": raw["datasets"]["cifar100"]}
    raw["datasets"]["cifar100"]["source"] = {"synthetic": {"seed": 3, "train": IMAGES, "test": TEST}}
    study.pop("sweeps", None)
    study["teachers"] = {"cifar100": study["teachers"]["cifar100"] | {"model": TEACHER, "weights": WEIGHTS}}
    for line in study["experiments"].values():
        study["recipes"][line["recipe"]] |= {"epochs": EPOCHS, "batch_size": BATCH}
    return raw


class Clone:
    """This commit in a folder of its own, with data and teacher made."""

    def __init__(self, folder: Path, precision: str) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "--quiet", ".", str(folder)], check=True)
        params = folder / "params.yaml"
        params.write_text(yaml.safe_dump(small(yaml.safe_load(params.read_text()), precision), sort_keys=False))
        torch.manual_seed(0)
        teacher = models.build(TEACHER, 100)
        torch.nn.init.zeros_(teacher.fc.weight)  # untrained, its logits would be so large that no student learns
        torch.save(teacher.state_dict(), folder / WEIGHTS)
        self.build(str(paths.metrics("teachers", "cifar100", 0)))

    def build(self, target: str) -> float:
        """Seconds until `target` is there."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        start = time.perf_counter()
        command = ["snakemake", "--cores", str(CORES), target]
        done = subprocess.run(command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        return time.perf_counter() - start

    def forwarded(self) -> int:
        """Images that the teacher was asked about, by the records of the students' runs."""
        records = [*self.folder.glob(f"results/records/{STUDY}/distill_student-{KD}-seed-*/*.json")]
        if len(records) != RUNS:
            raise SystemExit(f"{self.folder} has {len(records)} records of {RUNS} runs")
        return sum(json.loads(record.read_text())["teacher_images_forwarded"] for record in records)


def ours(folder: Path, precision: str) -> dict[str, Any]:
    cold = Clone(folder / "cold", precision)
    seconds = {"cold_seconds": round(cold.build(TABLE), 1), "cold_teacher_images": cold.forwarded()}
    warm = Clone(folder / "warm", precision)
    shutil.copytree(cold.folder / LOGITS, warm.folder / LOGITS, dirs_exist_ok=True)
    return seconds | {"warm_seconds": round(warm.build(TABLE), 1), "warm_teacher_images": warm.forwarded()}


def plain(clone: Path, workers: int) -> dict[str, float]:
    """Seconds of the ten runs, worked out from two epochs of each kind and one pass over the test set."""
    torch.set_num_threads(CORES)
    data = prepared.load(clone / paths.prepared("cifar100"))
    train, test = data.images[data.split != "test"], data.images[data.split == "test"]
    labels = data.labels[data.split != "test"]
    alone = plain_loop.train(train, labels, None, STUDENT, BATCH, 2, workers)[1]
    student, taught = plain_loop.train(train, labels, TEACHER, STUDENT, BATCH, 2, workers)
    start = time.perf_counter()
    plain_loop.predict(student, test, BATCH)
    tested = time.perf_counter() - start
    epochs = {"alone": sum(alone) / 2, "taught": sum(taught) / 2}
    return {
        "epoch_alone": round(epochs["alone"], 2),
        "epoch_taught": round(epochs["taught"], 2),
        "test": round(tested, 2),
        "seconds": round(RUNS * (EPOCHS * sum(epochs.values()) + 2 * tested), 1),
    }


def main() -> None:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for precision in PRECISIONS:
            found[f"ours {precision}"] = ours(folder / precision, precision)
            print(precision, found[f"ours {precision}"], flush=True)
        for workers in (0, 2):
            found[f"plain {workers} workers"] = plain(folder / PRECISIONS[0] / "cold", workers)
            print(workers, found[f"plain {workers} workers"], flush=True)
    fastest = min(found[f"plain {workers} workers"]["seconds"] for workers in (0, 2))
    for precision in PRECISIONS:
        for state in ("cold", "warm"):
            row = found[f"ours {precision}"]
            row[f"{state}_share"] = round(row[f"{state}_seconds"] / fastest, 3)
    unit = f"wall seconds of Table 2: {RUNS} + {RUNS} runs, {IMAGES} images, {EPOCHS} epochs; share of the faster plain loop"
    keep("table_2", {"unit": unit, "cores": CORES, "rows": found})


if __name__ == "__main__":
    main()
