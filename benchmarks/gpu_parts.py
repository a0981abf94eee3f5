"""The parts of gpu_check.py, each run in a process of its own: python benchmarks/gpu_parts.py PART prints its result.

Images are noise, drawn with a seed: neither speed nor determinism looks at them.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import gpu_epochs
import gpu_training
import numpy as np
import plain_loop
import torch
from gpu_training import ON_GPU, Training
from torch import nn
from torch.utils.data import DataLoader

from cellar import models

ROOT = Path(__file__).resolve().parents[1]
TEACHER, STUDENT, BATCH = ("resnet32x4", "resnet8x4", 64) if ON_GPU else ("resnet8x4", "cnn4", 16)
IMAGES = 4096 if ON_GPU else 64
JOB_SECONDS = 8.0 if ON_GPU else 2.0
COMPILED = {"": None, "compiled": "default", "compiled, CUDA graphs": "reduce-overhead"}
KINDS = [", ".join(filter(None, (loop, how))) for loop in ("plain", "ours") for how in COMPILED]
UNITS = {
    "images_per_second": "images/s of training",
    "epoch_seconds, study_hours": "seconds, hours",
    "gain": "what two jobs at once do, in units of what one does alone; one after the other: 1",
    "peak_memory_gb": "GB of the device's memory held by tensors",
}
DEFAULT_LIMIT = 90  # seconds of a process that a part starts


def tests() -> dict[str, Any]:
    """pytest's last line; without a GPU all are skipped."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        "-p",
        "no:cacheprovider",
        "tests/engine/test_on_gpu.py",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["pytest printed nothing"]
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    if done.returncode:
        raise SystemExit(f"{lines[-1]}: {'; '.join(failures)}"[:300])
    return {"outcome": lines[-1].strip("= ")}


def determinism() -> dict[str, Any]:
    """sha256 of the weights after the same distillation, in two processes, in both precisions."""
    hashes = {precision: [in_process(f"hash {precision}")["hash"] for _ in range(2)] for precision in ("fp32", "bf16")}
    different = [precision for precision, (one, other) in hashes.items() if one != other]
    if different:
        raise SystemExit(f"two processes gave other bytes in {', '.join(different)}")
    return {"same_bytes": True, "hashes": {precision: both[0] for precision, both in hashes.items()}}


def hash_of(precision: str) -> dict[str, Any]:
    training = Training("resemotenet", "resemotenet_b", 64, 16, precision, images=IMAGES // 4)
    training.epoch()
    return {"hash": weights_hash(training.model)}


def step(kind: str) -> dict[str, Any]:
    """Images a second of the second epoch, and whether a second training in this process gives the same bytes."""
    loop, how = kind.partition(", ")[::2]
    if "graphs" in kind and not ON_GPU:
        return {"skipped": "CUDA graphs need a GPU"}
    runs = [(plain if loop == "plain" else ours)(COMPILED[how]) for _ in range(2)]
    return {
        "teacher": TEACHER, "student": STUDENT, "batch": BATCH, "precision": "fp32", "images": IMAGES,
        "images_per_second": round(median(rate for rate, _ in runs), 1), "same_bytes": runs[0][1] == runs[1][1],
    }  # fmt: skip


def ours(mode: str | None) -> tuple[float, str]:
    """The engine's epoch, the teacher's logits in the cache."""
    training = Training(TEACHER, STUDENT, 32, BATCH, "fp32", images=IMAGES, classes=100, compiled=mode)
    training.epoch()  # the teacher's forward passes, and what is to be compiled is
    return IMAGES / training.epoch(), weights_hash(training.model)


def plain(mode: str | None) -> tuple[float, str]:
    """The plain loop's epoch; the faster of 0 and 2 workers depends on the processor, so it has none."""
    device = torch.device("cuda" if ON_GPU else "cpu")
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    images = generator.integers(256, size=(IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = generator.integers(100, size=IMAGES)
    loader = DataLoader(plain_loop.Pictures(images, labels), batch_size=BATCH, shuffle=True)
    teacher, student = (models.build(name, 100).to(device) for name in (TEACHER, STUDENT))
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1, weight_decay=5e-4)
    trained, frozen = (torch.compile(one, mode=mode) if mode else one for one in (student, teacher.eval()))
    seconds = []
    for _ in range(2):
        start = gpu_training.now()
        plain_loop.train_epoch(loader, frozen, trained, optimizer, device)
        seconds.append(gpu_training.now() - start)
    return IMAGES / seconds[1], weights_hash(student)


def weights_hash(model: nn.Module) -> str:
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        total.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()[:16]


def two_jobs() -> dict[str, Any]:
    """One job alone, then two at once: what each does in the same seconds."""
    (alone,), beside = jobs(1), jobs(2)
    return {
        "student": "resemotenet_b, 64 px, batch 16, bf16, logits cached",
        "images_per_second_alone": round(alone, 1),
        "images_per_second_each_of_two": [round(rate, 1) for rate in beside],
        "gain": round(sum(beside) / alone, 2),
    }


def jobs(count: int) -> list[float]:
    """Images a second of each of some jobs. They start to count together, when the last of them is ready."""
    with contextlib.ExitStack() as stack:
        commands = [[sys.executable, __file__, "job"]] * count
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in commands]
        running = [
            subprocess.Popen(command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for command, folder in zip(commands, folders, strict=True)
        ]
        for one in running:
            assert one.stdout and one.stdout.readline().strip() == "ready", "a job did not start"
        said = []
        for one in running:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in running:
            said.append(json.loads(one.communicate()[0].splitlines()[-1]))
        return [float(found["images_per_second"]) for found in said]


def job() -> dict[str, Any]:
    training = Training("resemotenet", "resemotenet_b", 64, 16, "bf16", images=512 if ON_GPU else 32)
    training.epoch()
    print("ready", flush=True)
    sys.stdin.readline()
    start, images = gpu_training.now(), 0
    while gpu_training.now() - start < JOB_SECONDS:
        training.epoch()
        images += training.images
    return {"images_per_second": images / (gpu_training.now() - start)}


def in_process(part: str) -> dict[str, Any]:
    command = [sys.executable, __file__, part]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=DEFAULT_LIMIT)
    if done.returncode:
        raise SystemExit((done.stderr.strip().splitlines() or ["it printed nothing"])[-1])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


PARTS = {
    "tests": tests,
    "determinism": determinism,
    "two jobs": two_jobs,
    "job": job,
    "epochs": gpu_epochs.epochs,
    **{f"hash {precision}": (lambda precision=precision: hash_of(precision)) for precision in ("fp32", "bf16")},
    **{f"step {kind}": (lambda kind=kind: step(kind)) for kind in KINDS},
}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]]()))
