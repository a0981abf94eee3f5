"""Weights and images that anyone can draw again, and what is kept of the tensors that a network makes of them."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

SAMPLED = 8  # values of a tensor, evenly spaced
DIGITS = 10


def state_of(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """A state dict of float64, whatever the order of its names: each tensor is drawn by its name alone."""
    return {name: torch.from_numpy(np.asarray(drawn(name, shape))) for name, shape in shapes.items()}


def drawn(name: str, shape: tuple[int, ...]) -> Any:
    random, kind = np.random.RandomState(zlib.crc32(name.encode())), name.rpartition(".")[2]
    if kind == "num_batches_tracked":
        return np.int64(7)
    if len(shape) > 1:
        return random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    return random.uniform(0.5, 1.5, shape) if kind in ("weight", "running_var") else random.normal(0, 0.1, shape)


def images(side: int) -> Tensor:
    return torch.from_numpy(np.random.RandomState(0).standard_normal((2, 3, side, side)))


def kept(tensor: Tensor) -> dict[str, Any]:
    """Shape, mean, root mean square, and values from the first to the last."""
    flat = tensor.detach().double().contiguous().flatten()
    sample = flat[torch.linspace(0, len(flat) - 1, SAMPLED).long()]
    return {
        "shape": list(tensor.shape),
        "mean": rounded(flat.mean()),
        "rms": rounded(rms(flat)),
        "sample": [rounded(value) for value in sample],
    }


def rms(tensor: Tensor) -> Tensor:
    return tensor.double().square().mean().sqrt()


def rounded(value: Tensor) -> float:
    return float(f"{float(value):.{DIGITS}g}")
