"""ShuffleNet with 3 groups for CIFAR (Zhang et al., arXiv:1707.01083, table 1): a 1x1 stem, 16 blocks in three stages.

State-dict keys, first weights (torch's own) and feature maps are those of RepDistiller's ShuffleV1 (Tian et al.,
arXiv:1910.10699), which has a ReLU after the depthwise convolution too. Parameters at 100 classes: 949,258.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.models.channel_shuffle import channel_shuffle
from cellar.models.features import Features
from cellar.models.stages import maps_of

STEM, GROUPS = 24, 3
STAGES = [(240, 4), (480, 8), (960, 4)]  # channels and blocks


class Block(nn.Module):
    """1x1 to a quarter of the channels, in groups and shuffled, 3x3 of each channel by itself, 1x1 in groups. Where the
    stride is 2, the halved input is joined to the outputs; otherwise it is added."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        computed = outputs - inputs if stride == 2 else outputs
        inside = computed // 4
        self.stride, self.groups = stride, 1 if inputs == STEM else GROUPS  # the stem's channels are too few for groups
        self.conv1 = nn.Conv2d(inputs, inside, 1, groups=self.groups, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride=stride, padding=1, groups=inside, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.conv3 = nn.Conv2d(inside, computed, 1, groups=GROUPS, bias=False)
        self.bn3 = nn.BatchNorm2d(computed)

    def forward(self, x: Tensor) -> Tensor:
        """Before the last ReLU."""
        shuffled = channel_shuffle(torch.relu_(self.bn1(self.conv1(x))), self.groups)
        out: Tensor = torch.relu_(self.bn2(self.conv2(shuffled)))
        out = self.bn3(self.conv3(out))
        if self.stride == 2:
            return torch.cat([out, functional.avg_pool2d(x, 3, stride=2, padding=1)], 1)
        return out.add_(x)


class ShuffleNetV1(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    stage_norms: tuple[nn.BatchNorm2d, ...] = ()  # RepDistiller names none

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.layer1 = stage(STEM, *STAGES[0])
        self.layer2 = stage(STAGES[0][0], *STAGES[1])
        self.layer3 = stage(STAGES[1][0], *STAGES[2])
        self.linear = nn.Linear(STAGES[2][0], num_classes)

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 16x16, 8x8 and 4x4 pixels of images of 32x32."""
        x = torch.relu_(self.bn1(self.conv1(images)))
        maps, preactivations = maps_of(x, (self.layer1, self.layer2, self.layer3))
        vector = maps[-1].mean((2, 3))
        return Features(maps, preactivations, vector, self.linear(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def classifier(self) -> nn.Linear:
        return self.linear


def stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(Block(inputs, outputs, 2), *(Block(outputs, outputs, 1) for _ in range(blocks - 1)))


def shufflenet_v1(num_classes: int) -> ShuffleNetV1:
    return ShuffleNetV1(num_classes)


NETWORKS = {"shufflenet_v1": shufflenet_v1}
