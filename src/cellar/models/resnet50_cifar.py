"""ResNet-50 for CIFAR (He et al., arXiv:1512.03385, table 1): a 3x3 stem without a pool, four stages of bottlenecks.

State-dict keys, first weights and feature maps are those of RepDistiller's ResNet50 (Tian et al., arXiv:1910.10699).
Parameters at 100 classes: 23,705,252.
"""

import torch
from torch import Tensor, nn

from cellar.models.features import Features
from cellar.models.stages import maps_of

STEM, BLOCKS, WIDTHS, EXPANSION = 64, (3, 4, 6, 3), (64, 128, 256, 512), 4


class Bottleneck(nn.Module):
    """1x1, 3x3 with the stride, 1x1 to four times the width; a 1x1 shortcut where the shape changes."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Before the last ReLU."""
        out = torch.relu_(self.bn1(self.conv1(x)))
        out = torch.relu_(self.bn2(self.conv2(out)))
        before: Tensor = self.bn3(self.conv3(out)).add_(self.shortcut(x))
        return before


class CifarResNet50(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.layer1 = stage(STEM, WIDTHS[0], BLOCKS[0], stride=1)
        self.layer2 = stage(WIDTHS[0] * EXPANSION, WIDTHS[1], BLOCKS[1], stride=2)
        self.layer3 = stage(WIDTHS[1] * EXPANSION, WIDTHS[2], BLOCKS[2], stride=2)
        self.layer4 = stage(WIDTHS[2] * EXPANSION, WIDTHS[3], BLOCKS[3], stride=2)
        self.linear = nn.Linear(WIDTHS[3] * EXPANSION, num_classes)
        initialise(self)

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 32x32, 16x16, 8x8 and 4x4 pixels of images of 32x32."""
        x = torch.relu_(self.bn1(self.conv1(images)))
        maps, preactivations = maps_of(x, (self.layer1, self.layer2, self.layer3, self.layer4))
        vector = maps[-1].mean((2, 3))
        return Features(maps, preactivations, vector, self.linear(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def classifier(self) -> nn.Linear:
        return self.linear

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """Of each stage's last block, before its shortcut and its last activation."""
        stages = (self.layer1, self.layer2, self.layer3, self.layer4)
        return tuple(blocks[-1].bn3 for blocks in stages)  # type: ignore[misc]  # all are of the class above


def stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    later = (Bottleneck(width * EXPANSION, width, 1) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride), *later)


def initialise(model: nn.Module) -> None:
    """He's normal by fan-out for convolutions; batch norms and the linear layer keep torch's."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def resnet50_cifar(num_classes: int) -> CifarResNet50:
    return CifarResNet50(num_classes)


NETWORKS = {"resnet50_cifar": resnet50_cifar}
