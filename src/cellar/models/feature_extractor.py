"""A network without its last layer, for methods that train or compare features."""

from typing import Any

from torch import Tensor, nn


class FeatureExtractor(nn.Module):
    """(B, 3, H, W) -> features (B, D) of `model`. Its state dict is the model's, under the model's own names."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.model.features(inputs)  # type: ignore[operator]  # a method, not a layer
        return features

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.load_state_dict(*args, **kwargs)
