"""What losses of feature maps share: pairs of maps, pooling to one size, and a student's regressor."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.methods.base import full_precision
from cellar.models.features import Features

Size = tuple[int, int]


def stages(features: Features) -> tuple[Tensor, ...]:
    """The maps without the stem's: f1, f2, f3 of a CIFAR network."""
    return features.maps[1:]


def pairs(student: Features, teacher: Features) -> Iterator[tuple[Tensor, Tensor]]:
    """Student's and teacher's maps stage by stage, from the first; the longer list is cut (RepDistiller's zip)."""
    return zip(stages(student), stages(teacher), strict=False)


def preactivation_pairs(student: Features, teacher: Features) -> Iterator[tuple[Tensor, Tensor]]:
    """The same of the maps before the last activation."""
    return zip(student.preactivations[1:], teacher.preactivations[1:], strict=False)


def size_of(maps: Tensor) -> Size:
    """Height and width of maps (B, C, H, W)."""
    height, width = maps.shape[2:]
    return height, width


def same_size(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Both maps (B, C, H, W) at the smaller one's size, in full precision: the larger one is average-pooled."""
    student, teacher = full_precision(student), full_precision(teacher)
    if student.shape[2] > teacher.shape[2]:
        return pooled(student, size_of(teacher)), teacher
    return student, pooled(teacher, size_of(student))


def pooled(maps: Tensor, size: Size) -> Tensor:
    """Adaptive average pooling of maps (B, C, H, W) to (B, C, *size).

    PyTorch's own has no deterministic gradient on GPUs; here windows of one size go through avg_pool2d, and others, which
    overlap, are a product with the matrices of their weights.
    """
    if size_of(maps) == size:
        return maps
    if all(whole % part == 0 for whole, part in zip(size_of(maps), size, strict=True)):
        return functional.avg_pool2d(maps, (maps.shape[2] // size[0], maps.shape[3] // size[1]))
    rows, columns = (window_weights(maps, *sides) for sides in zip(size_of(maps), size, strict=True))
    return rows @ maps @ columns.T


def window_weights(like: Tensor, whole: int, parts: int) -> Tensor:
    """(parts, whole): row i averages the places from floor(i whole / parts) to ceil((i + 1) whole / parts)."""
    weights = like.new_zeros(parts, whole)
    for part in range(parts):
        start, stop = part * whole // parts, -(-(part + 1) * whole // parts)
        weights[part, start:stop] = 1 / (stop - start)
    return weights


class Regressor(nn.Module):
    """A student's maps (B, C, H, W) as its teacher's: one convolution, batch norm, ReLU (RepDistiller's ConvReg).

    Student twice as large: 3x3 of stride 2; half as large: transposed 4x4 of stride 2; else larger or equal: a kernel that
    leaves the teacher's size. A smaller student that is not half as large keeps its size (SimKD's ConvReg), and the teacher
    is pooled to it.
    """

    def __init__(self, student: Tensor, teacher: Tensor, relu: bool = True) -> None:
        super().__init__()
        channels = student.shape[1], teacher.shape[1]
        (height, width), (rows, columns) = size_of(student), size_of(teacher)
        self.conv: nn.Module
        if height == 2 * rows:
            self.conv = nn.Conv2d(*channels, 3, stride=2, padding=1)
        elif 2 * height == rows:
            self.conv = nn.ConvTranspose2d(*channels, 4, stride=2, padding=1)
        elif height >= rows:
            self.conv = nn.Conv2d(*channels, (1 + height - rows, 1 + width - columns))
        else:
            self.conv = nn.Conv2d(*channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(teacher.shape[1])
        self.relu = relu

    def forward(self, maps: Tensor) -> Tensor:
        regressed: Tensor = self.bn(self.conv(maps))
        return torch.relu(regressed) if self.relu else regressed


def projection(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution without bias, and batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
