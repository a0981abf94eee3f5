"""ShuffleNetV2 1x for CIFAR (Ma et al., arXiv:1807.11164, table 5): a 1x1 stem and 16 blocks in three stages.

State-dict keys, first weights (torch's own) and feature maps are those of RepDistiller's ShuffleV2 (Tian et al.,
arXiv:1910.10699). Parameters at 100 classes: 1,355,528.
"""

import torch
from torch import Tensor, nn

from cellar.models.channel_shuffle import channel_shuffle
from cellar.models.features import Features

STEM, LAST = 24, 1024
STAGES = [(116, 4), (232, 8), (464, 4)]  # channels and blocks


class Block(nn.Module):
    """Half of the channels stay as they are; the others go through 1x1, 3x3 of each channel by itself, 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(half, half, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The half that stays, and the other one before its last ReLU."""
        kept, out = x.chunk(2, dim=1)
        out = torch.relu_(self.bn1(self.conv1(out)))
        return kept, self.bn3(self.conv3(self.bn2(self.conv2(out))))


class DownBlock(nn.Module):
    """Halves the map: 3x3 of each channel by itself and 1x1 give half of the outputs, 1x1, 3x3 and 1x1 the others."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.conv1 = nn.Conv2d(inputs, inputs, 3, stride=2, padding=1, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv2 = nn.Conv2d(inputs, half, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(inputs, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)
        self.conv4 = nn.Conv2d(half, half, 3, stride=2, padding=1, groups=half, bias=False)
        self.bn4 = nn.BatchNorm2d(half)
        self.conv5 = nn.Conv2d(half, half, 1, bias=False)
        self.bn5 = nn.BatchNorm2d(half)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The two halves, the second before its last ReLU."""
        left = torch.relu_(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        right = torch.relu_(self.bn3(self.conv3(x)))
        return left, self.bn5(self.conv5(self.bn4(self.conv4(right))))


class ShuffleNetV2(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    stage_norms: tuple[nn.BatchNorm2d, ...] = ()  # RepDistiller names none

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.layer1 = stage(STEM, *STAGES[0])
        self.layer2 = stage(STAGES[0][0], *STAGES[1])
        self.layer3 = stage(STAGES[1][0], *STAGES[2])
        self.conv2 = nn.Conv2d(STAGES[2][0], LAST, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(LAST)
        self.linear = nn.Linear(LAST, num_classes)

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 16x16, 8x8 and 4x4 pixels of images of 32x32. The channels of a stage's preactivation are not
        shuffled, as published."""
        x = torch.relu_(self.bn1(self.conv1(images)))
        maps, preactivations = [x], [x]
        for blocks in (self.layer1, self.layer2, self.layer3):
            for block in blocks:
                kept, preactivation = block(x)
                x = channel_shuffle(torch.cat([kept, torch.relu(preactivation)], 1), 2)
            maps.append(x)
            preactivations.append(torch.cat([kept, preactivation], 1))
        vector = torch.relu_(self.bn2(self.conv2(x))).mean((2, 3))
        return Features(tuple(maps), tuple(preactivations), vector, self.linear(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def classifier(self) -> nn.Linear:
        return self.linear


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(DownBlock(inputs, outputs), *(Block(outputs) for _ in range(blocks - 1)))


def shufflenet_v2(num_classes: int) -> ShuffleNetV2:
    return ShuffleNetV2(num_classes)


NETWORKS = {"shufflenet_v2": shufflenet_v2}
