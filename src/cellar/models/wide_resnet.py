"""Wide ResNets of depth 6n + 4 for CIFAR (Zagoruyko and Komodakis, arXiv:1605.07146): three stages of n blocks.

Without dropout, as in knowledge-distillation studies. State-dict keys, first weights and feature maps are those of
RepDistiller (Tian et al., arXiv:1910.10699). Parameters at 100 classes: wrn_16_2 703,284, wrn_40_1 569,780,
wrn_40_2 2,255,156.
"""

import torch
from torch import Tensor, nn

from cellar.models.features import Features

STEM = 16


class Block(nn.Module):
    """Two 3x3 convolutions, each after its batch norm and ReLU, the first with the stride; where the width changes, the
    shortcut is a 1x1 convolution of the first one's input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        widens = inputs != outputs
        self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False) if widens else None

    def forward(self, x: Tensor, normed: Tensor) -> Tensor:
        """`normed`: bn1(x), which is also the preactivation of the stage before."""
        activated = torch.relu(normed)
        out: Tensor = self.conv2(torch.relu_(self.bn2(self.conv1(activated))))
        return out + (self.convShortcut(activated) if self.convShortcut else x)


class Stage(nn.Module):
    """Blocks of one width, below the name that published keys have."""

    def __init__(self, inputs: int, outputs: int, blocks: int, stride: int) -> None:
        super().__init__()
        later = (Block(outputs, outputs, 1) for _ in range(blocks - 1))
        self.layer = nn.Sequential(Block(inputs, outputs, stride), *later)

    def forward(self, x: Tensor, normed: Tensor) -> Tensor:
        """`normed`: norm(x)."""
        for number, block in enumerate(self.blocks):
            x = block(x, block.bn1(x) if number else normed)
        return x

    @property
    def norm(self) -> nn.BatchNorm2d:
        """The first batch norm."""
        return self.blocks[0].bn1

    @property
    def blocks(self) -> list[Block]:
        return list(self.layer)  # type: ignore[arg-type]  # all are of this class


class WideResNet(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    def __init__(self, depth: int, width: int, num_classes: int) -> None:
        super().__init__()
        blocks, widths = (depth - 4) // 6, (16 * width, 32 * width, 64 * width)
        self.conv1 = nn.Conv2d(3, STEM, 3, padding=1, bias=False)
        self.block1 = Stage(STEM, widths[0], blocks, stride=1)
        self.block2 = Stage(widths[0], widths[1], blocks, stride=2)
        self.block3 = Stage(widths[1], widths[2], blocks, stride=2)
        self.bn1 = nn.BatchNorm2d(widths[2])
        self.fc = nn.Linear(widths[2], num_classes)
        initialise(self)

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 32x32, 16x16 and 8x8 pixels of images of 32x32, as published: without an activation, which the
        next stage applies to its batch norm of the map. That is the preactivation."""
        maps, preactivations = [self.conv1(images)], []
        for stage in (self.block1, self.block2, self.block3):
            preactivations.append(stage.norm(maps[-1]))
            maps.append(stage(maps[-1], preactivations[-1]))
        preactivations.append(self.bn1(maps[-1]))
        vector = torch.relu(preactivations[-1]).mean((2, 3))
        return Features(tuple(maps), (maps[0], *preactivations[1:]), vector, self.fc(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def classifier(self) -> nn.Linear:
        return self.fc

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """Before the last activation of each stage."""
        return self.block2.norm, self.block3.norm, self.bn1


def initialise(model: nn.Module) -> None:
    """He's normal by fan-out for convolutions, no bias in the linear layer, whose weights keep torch's."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def wrn_16_2(num_classes: int) -> WideResNet:
    return WideResNet(16, 2, num_classes)


def wrn_40_1(num_classes: int) -> WideResNet:
    return WideResNet(40, 1, num_classes)


def wrn_40_2(num_classes: int) -> WideResNet:
    return WideResNet(40, 2, num_classes)


NETWORKS = {"wrn_16_2": wrn_16_2, "wrn_40_1": wrn_40_1, "wrn_40_2": wrn_40_2}
