"""CIFAR ResNets of depth 6n + 2: three stages of n basic blocks after a 3x3 stem.

He et al., arXiv:1512.03385, section 4.2, and at the widths 32, 64, 128 and 256 that knowledge-distillation studies
call "x4": SimKD (Chen et al., arXiv:2203.14001) and RepDistiller (Tian et al., arXiv:1910.10699). State-dict
keys and initial weights are those of both repositories. Parameters at 100 classes: resnet20 278,324, resnet32 472,756,
resnet56 861,620, resnet110 1,736,564, resnet8x4 1,233,540, resnet32x4 7,433,860.
"""

import torch
from torch import Tensor, nn

from cellar.models.features import Features

Widths = tuple[int, int, int, int]  # of the stem and of the stages
WIDTHS: Widths = (16, 16, 32, 64)
X4: Widths = (32, 64, 128, 256)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, the first with the stride; a 1x1 shortcut where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.preactivation(x))

    def preactivation(self, x: Tensor) -> Tensor:
        """The output before the last activation."""
        out = torch.relu_(self.bn1(self.conv1(x)))  # in place: no other layer reads this tensor
        added: Tensor = self.bn2(self.conv2(out)).add_(self.downsample(x))
        return added


class CifarResNet(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    def __init__(self, depth: int, widths: Widths, num_classes: int) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.layer1 = stage(widths[0], widths[1], blocks, stride=1)
        self.layer2 = stage(widths[1], widths[2], blocks, stride=2)
        self.layer3 = stage(widths[2], widths[3], blocks, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(widths[3], num_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu_(self.bn1(self.conv1(x)))  # (B, C, H, W)
        x = self.layer3(self.layer2(self.layer1(x)))  # (B, C, H/4, W/4)
        logits: Tensor = self.fc(self.avgpool(x).flatten(1))
        return logits

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 32x32, 16x16 and 8x8 pixels of images of 32x32."""
        x = torch.relu_(self.bn1(self.conv1(images)))
        maps, preactivations = [x], [x]
        for blocks in (self.layer1, self.layer2, self.layer3):
            *first, last = blocks.children()
            for block in first:
                x = block(x)
            assert isinstance(last, BasicBlock)
            preactivations.append(last.preactivation(x))
            x = torch.relu(preactivations[-1])
            maps.append(x)
        vector = self.avgpool(x).flatten(1)
        return Features(tuple(maps), tuple(preactivations), vector, self.fc(vector))

    @property
    def classifier(self) -> nn.Linear:
        return self.fc

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """Of each stage's last block, before its shortcut and its last activation."""
        blocks = [stage[-1] for stage in (self.layer1, self.layer2, self.layer3)]
        return tuple(block.bn2 for block in blocks if isinstance(block, BasicBlock))


def stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1)))


def initialise(model: nn.Module) -> None:
    """He's normal by fan-out for convolutions, 1 and 0 for batch norms; the linear layer keeps torch's."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def resnet20(num_classes: int) -> CifarResNet:
    return CifarResNet(20, WIDTHS, num_classes)


def resnet32(num_classes: int) -> CifarResNet:
    return CifarResNet(32, WIDTHS, num_classes)


def resnet56(num_classes: int) -> CifarResNet:
    return CifarResNet(56, WIDTHS, num_classes)


def resnet110(num_classes: int) -> CifarResNet:
    return CifarResNet(110, WIDTHS, num_classes)


def resnet8x4(num_classes: int) -> CifarResNet:
    return CifarResNet(8, X4, num_classes)


def resnet32x4(num_classes: int) -> CifarResNet:
    return CifarResNet(32, X4, num_classes)


NETWORKS = {
    "resnet20": resnet20,
    "resnet32": resnet32,
    "resnet56": resnet56,
    "resnet110": resnet110,
    "resnet8x4": resnet8x4,
    "resnet32x4": resnet32x4,
}
