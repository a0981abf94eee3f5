"""A network without its last layer, for methods that train or compare features."""

from torch import Tensor

from cellar.models.wrapped import Wrapped


class FeatureExtractor(Wrapped):
    """(B, 3, H, W) -> features (B, D) of a network. Its state dict is the network's, under its own names."""

    def forward(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.network.features(inputs)  # type: ignore[operator]  # a method, not a layer
        return features
