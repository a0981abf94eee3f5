"""RepDistiller's published loop, as one more peer of benchmarks/distillation.py; it is not part of this repository.

    git clone https://github.com/HobbitLong/RepDistiller
    REPDISTILLER=$PWD/RepDistiller python benchmarks/distillation.py

Its `helper.loops.train_distill`, `DistillKL`, resnet32x4 and resnet8x4 are called, unmodified, as its train_student.py
calls them for KD. Images, transforms, loss weights and optimizer are plain_loop.py's, so that the work is the same; its
own loader would download CIFAR-100.
"""

import importlib
import os
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import plain_loop
import torch
from plain_loop import DISTILL_WEIGHT, TASK_WEIGHT, T
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

VARIABLE, NETWORKS = "REPDISTILLER", ("resnet32x4", "resnet8x4")


class Indexed(Dataset[tuple[Tensor, int, int]]):
    """The plain loop's images, each with its index, as `train_distill` takes them."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.pictures = plain_loop.Pictures(images, labels)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        return (*self.pictures[index], index)


def kinds(teacher: str, student: str) -> list[str]:
    """What is measured besides: nothing without a checkout, nor for networks that it has not."""
    folder = os.environ.get(VARIABLE)
    if folder and not (Path(folder).is_absolute() and Path(folder, "helper/loops.py").is_file()):
        raise SystemExit(f"{VARIABLE}={folder} is not the absolute path of a clone of HobbitLong/RepDistiller")
    return [f"RepDistiller {n} workers" for n in (0, 2)] if folder and (teacher, student) == NETWORKS else []


def train(
    images: np.ndarray, labels: np.ndarray, teacher_name: str, student_name: str, batch: int, epochs: int, workers: int
) -> tuple[nn.Module, list[float]]:
    """The student, and the seconds of each epoch, as plain_loop.train returns them."""
    sys.path.insert(0, os.environ[VARIABLE])
    loops, networks, kd = map(importlib.import_module, ("helper.loops", "models.resnet", "distiller_zoo.KD"))
    student, teacher = (getattr(networks, name)(num_classes=100) for name in (student_name, teacher_name))
    modules = nn.ModuleList([student, teacher]).to("cuda" if torch.cuda.is_available() else "cpu")  # as its images
    criteria = nn.ModuleList([nn.CrossEntropyLoss(), kd.DistillKL(T), kd.DistillKL(T)])
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1, weight_decay=5e-4)
    loader = DataLoader(Indexed(images, labels), batch_size=batch, shuffle=True, num_workers=workers)
    options = SimpleNamespace(distill="kd", gamma=TASK_WEIGHT, alpha=DISTILL_WEIGHT, beta=0, print_freq=100)
    seconds = []
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        with redirect_stdout(sys.stderr):  # it prints its progress; stdout is for the result
            loops.train_distill(epoch, loader, modules, criteria, optimizer, options)
        seconds.append(time.perf_counter() - start)
    return student, seconds
