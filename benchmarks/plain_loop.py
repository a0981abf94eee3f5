"""Distillation as the common repositories write it: what benchmarks/distillation.py compares with.

A DataLoader over PIL images with random transforms, NCHW fp32, the teacher asked in every step, averages kept with
`.item()`. Same networks, batch, augmentation, loss and images as ours; weights are random: speed does not know.
"""

import time
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from cellar import models
from cellar.data.inputs.augmentation import NORMALISATIONS

T, TASK_WEIGHT, DISTILL_WEIGHT = 4.0, 0.25, 0.75


class Pictures(Dataset[tuple[Tensor, int]]):
    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(*NORMALISATIONS["cifar100"]),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def train(
    images: np.ndarray,
    labels: np.ndarray,
    teacher_name: str | None,
    student_name: str,
    batch: int,
    epochs: int,
    workers: int,
) -> tuple[nn.Module, list[float]]:
    """The student, and the seconds of each epoch. Without a teacher: from the labels alone."""
    loader = DataLoader(Pictures(images, labels), batch_size=batch, shuffle=True, num_workers=workers)
    teacher = models.build(teacher_name, 100).eval() if teacher_name else None
    student = models.build(student_name, 100)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1, weight_decay=5e-4)
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        train_epoch(loader, teacher, student, optimizer)
        seconds.append(time.perf_counter() - start)
    return student, seconds


def train_epoch(
    loader: DataLoader[tuple[Tensor, int]],
    teacher: nn.Module | None,
    student: nn.Module,
    optimizer: torch.optim.Optimizer,
    device: torch.device | str = "cpu",
) -> None:
    student.train()
    loss_sum, right, seen = 0.0, 0, 0
    for batch in loader:
        inputs, labels = (part.to(device) for part in batch)
        logits = student(inputs)
        loss = functional.cross_entropy(logits, labels)
        if teacher is not None:  # a compiled one has no truth value
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            loss = TASK_WEIGHT * loss + DISTILL_WEIGHT * T * T * distillation(logits, teacher_logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        right += int((logits.argmax(1) == labels).sum().item())
        seen += len(labels)


def distillation(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    student, teacher = functional.log_softmax(logits / T, dim=1), functional.softmax(teacher_logits / T, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean")


def predict(student: nn.Module, images: np.ndarray, batch: int) -> np.ndarray:
    """Classes of the images, as a test loop of the same style finds them."""
    to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize(*NORMALISATIONS["cifar100"])])
    student.eval()
    found: list[Sequence[int]] = []
    with torch.no_grad():
        for start in range(0, len(images), batch):
            inputs = torch.stack([to_input(Image.fromarray(image)) for image in images[start : start + batch]])
            found.append(student(inputs).argmax(1).tolist())
    return np.concatenate(found)
