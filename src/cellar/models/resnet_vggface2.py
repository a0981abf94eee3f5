"""ResNet-50 as VGGFace2 publishes it (Cao et al., arXiv:1710.08092): Caffe's layout, not torchvision's.

A stage's stride stands in its first 1x1 convolution, not in the 3x3, and the first pool has no padding but rounds its
size up. torchvision's resnet50 takes the same keys and computes something else. First weights are those of
cydonia999/VGGFace2-pytorch. Parameters at 105 classes: 23,723,177; the published files have 8,631 classes.

The published weights expect blue, green, red from 0 to 255 minus a mean: normalisation `vggface2`.
"""

import torch
from torch import Tensor, nn

BLOCKS, WIDTHS, EXPANSION = (3, 4, 6, 3), (64, 128, 256, 512), 4
# Classes -> whose weights, of the same names and shapes, have so many; this network's published ones have 8,631.
LOOKALIKES = {
    1000: "an ImageNet ResNet-50 of torchvision's layout (1000 classes)",
    11221: "an ImageNet-21k ResNet-50 of torchvision's layout (11221 classes)",
    21841: "an ImageNet-21k ResNet-50 of torchvision's layout (21841 classes)",
    21843: "an ImageNet-21k ResNet-50 of torchvision's layout (21843 classes)",
}


class Bottleneck(nn.Module):
    """1x1 with the stride, 3x3, 1x1 to four times the width; a 1x1 shortcut where the shape changes."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = convolution(inputs, width, 1, stride=stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride=stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = torch.relu_(self.bn1(self.conv1(x)))  # in place: no other layer reads this tensor
        out = torch.relu_(self.bn2(self.conv2(out)))
        return torch.relu_(self.bn3(self.conv3(out)) + self.downsample(x))


class ResNet50Vggface2(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes). Made for 224x224, where the last pool's 7x7 is all that is left;
    at other sizes it still takes the mean of what is left.
    """

    feature_dim = WIDTHS[-1] * EXPANSION
    last_layer = "fc"
    lookalikes = LOOKALIKES

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = convolution(3, WIDTHS[0], 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.layer1 = stage(WIDTHS[0], WIDTHS[0], BLOCKS[0], stride=1)
        self.layer2 = stage(WIDTHS[0] * EXPANSION, WIDTHS[1], BLOCKS[1], stride=2)
        self.layer3 = stage(WIDTHS[1] * EXPANSION, WIDTHS[2], BLOCKS[2], stride=2)
        self.layer4 = stage(WIDTHS[2] * EXPANSION, WIDTHS[3], BLOCKS[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self.feature_dim, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048), none negative."""
        x = self.maxpool(torch.relu_(self.bn1(self.conv1(x))))  # (B, 64, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (B, 2048, H/32, W/32)
        features: Tensor = self.avgpool(x).flatten(1)
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    """Without bias; weights normal by fan-out."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


def stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    later = (Bottleneck(width * EXPANSION, width, 1) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride), *later)


def resnet50_vggface2(num_classes: int) -> ResNet50Vggface2:
    return ResNet50Vggface2(num_classes)


NETWORKS = {"resnet50_vggface2": resnet50_vggface2}
