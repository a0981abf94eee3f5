"""A network with a connector: one more linear layer, 2048 outputs, between the trunk and the last layer.

It makes a student's features as wide as its teacher's, which they should equal (small-dataset study, 5.6). A student's
features are the connector's raw output; a teacher's for binary cross-entropy also go through a sigmoid (5.6.2).
Parameters at 105 classes: convnet9 21,822,185, resnet18 12,442,281, resnet50_vggface2 27,919,529.
"""

import torch
from torch import Tensor, nn

FEATURES = 2048


class Connected(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes), through the connector. The trunk is the network without its own last
    layer; its auxiliary head, if it has one, is not used.
    """

    feature_dim = FEATURES
    last_layer = "fc"

    def __init__(self, trunk: nn.Module, num_classes: int, bounded: bool) -> None:
        super().__init__()
        setattr(trunk, str(trunk.last_layer), nn.Identity())
        self.trunk = trunk
        self.connector = nn.Linear(int(trunk.feature_dim), FEATURES)  # type: ignore[arg-type]  # a class's number
        self.bounded = bounded
        self.fc = nn.Linear(FEATURES, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048); between 0 and 1 when `bounded`."""
        raw: Tensor = self.connector(self.trunk.features(x))  # type: ignore[operator]  # a method, not a layer
        return torch.sigmoid(raw) if self.bounded else raw

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits
