"""Two convolutions and a linear layer; 7,124 parameters at 100 classes."""

from torch import Tensor, nn


class Tiny(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes), for any input size."""

    feature_dim = 32
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(12, 32, 3, stride=2, padding=1), nn.ReLU()
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.feature_dim, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 32)."""
        features: Tensor = self.pool(self.body(x)).flatten(1)
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


NETWORKS = {"tiny": Tiny}
