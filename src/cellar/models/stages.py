"""A forward pass through stages of residual blocks whose last activation is applied outside of them."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def maps_of(x: Tensor, stages: Iterable[nn.Module]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The stem's map `x` and each stage's (B, C, H, W), after and before its last ReLU; the stem's is in both."""
    maps, preactivations = [x], [x]
    for blocks in stages:
        for block in blocks.children():
            preactivation = block(x)
            x = torch.relu(preactivation)
        maps.append(x)
        preactivations.append(preactivation)
    return tuple(maps), tuple(preactivations)
