"""VGG with batch norm for CIFAR (Simonyan and Zisserman, arXiv:1409.1556): five blocks of 3x3 convolutions.

State-dict keys, first weights and feature maps are those of RepDistiller (Tian et al., arXiv:1910.10699): its vgg8
has one convolution a block, its vgg13 two, and one linear layer replaces the paper's three. Parameters at 100 classes:
vgg8 3,965,028, vgg13 9,462,180.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.models.features import Features

WIDTHS = (64, 128, 256, 512, 512)
EXTRA_POOL = 64  # height in pixels of the images whose maps are also halved before the last block


class Vgg(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); made for 32x32 and 64x64. Below 8x8, where the pools leave nothing, a
    RuntimeError."""

    def __init__(self, convolutions: int, num_classes: int) -> None:
        super().__init__()
        self.block0 = block(3, WIDTHS[0], convolutions)
        self.block1 = block(WIDTHS[0], WIDTHS[1], convolutions)
        self.block2 = block(WIDTHS[1], WIDTHS[2], convolutions)
        self.block3 = block(WIDTHS[2], WIDTHS[3], convolutions)
        self.block4 = block(WIDTHS[3], WIDTHS[4], convolutions)
        self.classifier = nn.Linear(WIDTHS[4], num_classes)
        initialise(self)

    def features(self, images: Tensor) -> Features:
        """Maps of 32x32, 16x16, 8x8, 4x4 and 4x4 pixels of images of 32x32; at 64x64, each half the one before."""
        maps, preactivations = [torch.relu(self.block0(images))], []
        for stage in (self.block1, self.block2, self.block3, self.block4):
            pooled = stage is not self.block4 or images.shape[2] == EXTRA_POOL
            preactivations.append(stage(functional.max_pool2d(maps[-1], 2) if pooled else maps[-1]))
            maps.append(torch.relu(preactivations[-1]))
        vector = maps[-1].mean((2, 3))
        return Features(tuple(maps), (maps[0], *preactivations), vector, self.classifier(vector))

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images).logits

    @property
    def stage_norms(self) -> tuple[nn.BatchNorm2d, ...]:
        """Before the last activation of each stage."""
        return tuple(stage[-1] for stage in (self.block1, self.block2, self.block3, self.block4))  # type: ignore[misc]


def block(inputs: int, outputs: int, convolutions: int) -> nn.Sequential:
    """Convolutions with batch norm and ReLU, but for the last ReLU."""
    layers: list[nn.Module] = []
    for _ in range(convolutions):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(*layers[:-1])


def initialise(model: nn.Module) -> None:
    """He's normal by fan-out for convolutions, a normal of 0.01 for the linear layer, no biases."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def vgg8(num_classes: int) -> Vgg:
    return Vgg(1, num_classes)


def vgg13(num_classes: int) -> Vgg:
    return Vgg(2, num_classes)


NETWORKS = {"vgg8": vgg8, "vgg13": vgg13}
