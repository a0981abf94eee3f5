"""The CIFAR-100 student: four convolutions without batch norm, and one linear layer.

Wiring as in the study's published notebook and checkpoint, whose state-dict keys these are: 799,652 parameters at
100 classes. No activation follows the second convolution, though the report calls ReLU its primary one.
"""

from torch import Tensor, nn

from cellar.models.features import Features


class Cnn4(nn.Module):
    """(B, 3, 32, 32) -> logits (B, num_classes). Made for 32x32; sides of 27 to 34 also end as 4x4, every other
    size is a RuntimeError of the linear layer.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.feature_extractor = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 256, 3, padding=1),
            nn.ReLU(),
        )
        self.linear = nn.Linear(256 * 4 * 4, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.feature_extractor(x).flatten(1))
        return logits

    def features(self, images: Tensor) -> Features:
        """Maps of the four convolutions, after the ReLU where one follows, before the pool: 32, 64, 128 and 256 channels."""
        maps, preactivations, x = list[Tensor](), list[Tensor](), images
        for layer in self.feature_extractor:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                maps.append(x)
                preactivations.append(x)
            elif isinstance(layer, nn.ReLU):
                maps[-1] = x
        vector = x.flatten(1)
        return Features(tuple(maps), (maps[0], *preactivations[1:]), vector, self.linear(vector))

    @property
    def classifier(self) -> nn.Linear:
        return self.linear

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        return ()


def cnn4(num_classes: int) -> Cnn4:
    return Cnn4(num_classes)


NETWORKS = {"cnn4": cnn4}
