"""A network without its last layer, for methods that train or compare features."""

from pathlib import Path

from torch import Tensor

from cellar import models, paths
from cellar.errors import CellarError
from cellar.models.wrapped import Wrapped


class FeatureExtractor(Wrapped):
    """(B, 3, H, W) -> features (B, D) of a network. Its state dict is the network's, under its own names."""

    def forward(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.network.features(inputs)  # type: ignore[operator]  # a method, not a layer
        return features


def check_vector(key: str, name: str, file: str | Path) -> None:
    """Raises CellarError, for the entry `key`, if the network `name` has no vector of features; `file` declares it."""
    if not models.has_features(paths.source_file(file)):
        those = [other for other, path in models.networks().items() if models.has_features(path)]
        raise CellarError(f"{key}: {name} gives no vector of features; these networks do: {', '.join(those)}")
