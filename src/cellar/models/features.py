"""What a network computes on its way to the logits: the maps of its stages, for methods that distil them.

A network serves them if it is a FeatureNetwork; `of` finds their shapes without memory for the weights.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError


class Features(NamedTuple):
    """Of a batch of images; a NamedTuple, for DistributedDataParallel looks for tensors in tuples.

    `maps`: the stem and each stage, (B, C, H, W), after the activation, as RepDistiller's lists f0, f1, ... hold them (of a
    WRN raw outputs of blocks). `preactivations`: the same before a stage's last activation; the stem's is its map. `vector`:
    (B, D), the classifier's input. `logits`: (B, classes).
    """

    maps: tuple[Tensor, ...]
    preactivations: tuple[Tensor, ...]
    vector: Tensor
    logits: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with each tensor changed."""
        maps, preactivations = (tuple(map(change, tensors)) for tensors in (self.maps, self.preactivations))
        return type(self)(maps, preactivations, change(self.vector), change(self.logits))


@runtime_checkable
class FeatureNetwork(Protocol):
    """A network that serves its features: network(images) equals network.features(images).logits, bit for bit."""

    def features(self, images: Tensor) -> Features:
        """(B, 3, H, W) -> its features."""
        ...

    @property
    def classifier(self) -> nn.Linear:
        """The layer that gives the logits of the vector."""
        ...

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """The batch norm before the last activation of each stage, the stem's left out; empty if there are none."""
        ...


@cache
def of(name: str, file: str, side: int, batch_size: int) -> Features:
    """Tensors without memory that have the shapes of a network's features, for images of `side` pixels; of 2 classes.

    Raises CellarError for a network that serves none (some `features` are a vector alone), or not of images of this size.
    """
    models.check_input_size(name, side, file)
    with torch.device("meta"):
        network = models.build(name, 2, file).eval()
        if not isinstance(network, FeatureNetwork):
            those = [other for other, path in models.networks().items() if path in serving_files()]
            raise CellarError(f"{name} serves no feature maps; these do: {', '.join(those)}")
        return network.features(torch.empty(batch_size, 3, side, side))


@cache
def pools_last_map(name: str, file: str, side: int) -> bool:
    """Whether a network's classifier reads the mean of its last map, as a WRN's does not; tried with fresh weights."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = models.build(name, 2, file).eval()
        assert isinstance(network, FeatureNetwork)
        served = network.features(torch.rand(2, 3, side, side))
    mean = served.maps[-1].mean((2, 3))
    return mean.shape == served.vector.shape and torch.allclose(mean, served.vector, atol=1e-5)


def serving_files() -> list[Path]:
    """Files of src/cellar/models whose networks serve features: those that make Features."""
    return [path for path in models.HERE.glob("*.py") if "models.features import Features" in path.read_text("utf-8")]


def norms_of(name: str, file: str) -> int:
    """How many stage_norms a network has."""
    with torch.device("meta"):
        network = models.build(name, 2, file)
    return len(network.stage_norms) if isinstance(network, FeatureNetwork) else 0
