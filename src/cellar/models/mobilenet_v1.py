"""MobileNet of 2017, width 1 (Howard et al., arXiv:1704.04861, table 1): 27 convolutions and one linear layer.

State-dict keys are those of marvis/pytorch-mobilenet, whose layout PyTorch's best-known ImageNet checkpoint has
(mobilenet_sgd_rmsprop_69.526.tar; it expects normalisation `imagenet`). First weights are torch's own, as there.
Parameters at 105 classes: 3,314,601; the paper's "13M" is their size in MB.
"""

from torch import Tensor, nn

STEM = 32
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


class MobileNetV1(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 224x224, any size from 1x1 on gives logits."""

    feature_dim = BLOCKS[-1][0]
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        layers, inputs = [nn.Sequential(*convolution(3, STEM, 3, stride=2))], STEM
        for outputs, stride in BLOCKS:
            layers.append(separable(inputs, outputs, stride))
            inputs = outputs
        self.model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Linear(self.feature_dim, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1024), none negative."""
        features: Tensor = self.model(x).flatten(1)
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A 3x3 convolution of each channel by itself, with the stride, then a 1x1 over the channels."""
    return nn.Sequential(*convolution(inputs, inputs, 3, stride, groups=inputs), *convolution(inputs, outputs, 1))


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """With its batch norm and ReLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU()]


def mobilenet_v1(num_classes: int) -> MobileNetV1:
    return MobileNetV1(num_classes)


NETWORKS = {"mobilenet_v1": mobilenet_v1}
