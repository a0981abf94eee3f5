"""MobileNetV2 at half width for CIFAR (Sandler et al., arXiv:1801.04381, table 2): 17 inverted residual blocks.

State-dict keys, first weights and feature maps are those of RepDistiller's mobile_half (Tian et al., arXiv:1910.10699),
which differs from the paper and its code: the second stage does not halve its maps, the activation is ReLU, not ReLU6,
channels are not rounded to multiples of 8, and the first block has all three convolutions. Parameters at 100 classes:
812,836.
"""

from torch import Tensor, nn

from cellar.models.features import Features

STEM, LAST = 16, 1280
STAGES = [(1, 8, 1, 1), (6, 12, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 2), (6, 160, 1, 1)]
# of expansion, channels, blocks and the first block's stride
MAPPED = (1, 2, 4, 6)  # stages whose outputs are feature maps


class InvertedResidual(nn.Module):
    """1x1 to more channels, 3x3 of each channel by itself with the stride, 1x1 without activation; added to its input
    where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        self.conv = nn.Sequential(
            *convolution(inputs, inside, 1),
            *convolution(inside, inside, 3, stride, groups=inside),
            *convolution(inside, outputs, 1)[:-1],
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.adds else out


class MobileNetV2(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32, any size from 1x1 on gives logits."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*convolution(3, STEM, 3, stride=2))
        self.blocks, inputs = nn.ModuleList(), STEM
        for expansion, outputs, blocks, stride in STAGES:
            self.blocks.append(stage(inputs, outputs, blocks, stride, expansion))
            inputs = outputs
        self.conv2 = nn.Sequential(*convolution(inputs, LAST, 1))
        self._modules["classifier"] = nn.Sequential(nn.Linear(LAST, num_classes))  # its property is the layer alone
        initialise(self)

    def features(self, images: Tensor) -> Features:
        """Maps of 16x16, 16x16, 8x8, 4x4 and 2x2 pixels of images of 32x32. A stage ends without an activation, so the
        preactivations are the maps."""
        x = self.conv1(images)
        maps = [x]
        for number, blocks in enumerate(self.blocks):
            x = blocks(x)
            if number in MAPPED:
                maps.append(x)
        vector = self.conv2(x).mean((2, 3))
        return Features(tuple(maps), tuple(maps), vector, self.classifier(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def classifier(self) -> nn.Linear:
        layer: nn.Linear = self._modules["classifier"][0]  # type: ignore[index]
        return layer

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """The last batch norm of each map but the stem's."""
        return tuple(self.blocks[number][-1].conv[-1] for number in MAPPED)  # type: ignore[index]


def stage(inputs: int, outputs: int, blocks: int, stride: int, expansion: int) -> nn.Sequential:
    later = (InvertedResidual(outputs, outputs, 1, expansion) for _ in range(blocks - 1))
    return nn.Sequential(InvertedResidual(inputs, outputs, stride, expansion), *later)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """With its batch norm and ReLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def initialise(model: nn.Module) -> None:
    """He's normal by fan-out for convolutions, a normal of 0.01 and no bias for the linear layer."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def mobilenet_v2_half(num_classes: int) -> MobileNetV2:
    return MobileNetV2(num_classes)


NETWORKS = {"mobilenet_v2_half": mobilenet_v2_half}
