"""ResEmoteNet and the students A, B, C: one structure at four widths.

ResEmoteNet: Roy et al., arXiv:2409.10545. Students: Mini-ResEmoteNet, Table II, which prints the *input*
widths of the three residual blocks; their outputs are twice as wide. Parameters at 7 classes, as printed:
80,238,599, 20,069,383, 5,022,215 and 1,259,911. State-dict keys are those of the published checkpoint.
"""

import torch
from torch import Tensor, nn

from cellar.models.dropout import Dropout


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from the channels' means; both linears without bias."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, hidden, bias=False),
            nn.ReLU(),
            nn.Linear(hidden, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.fc(x.mean(dim=(2, 3)))  # (B, C)
        return x * gate[:, :, None, None]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with bias, the first of stride 2, and a 1x1 shortcut.

    The last block's maps are 1x1 for images of 48 and 64 pixels, smaller than its kernels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = torch.relu_(self.bn1(self.conv1(x)))  # in place: no other layer reads this tensor
        return torch.relu_(self.bn2(self.conv2(out)) + self.shortcut(x))


class ResEmoteNet(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes); H and W at least 8, or the three pools leave nothing.

    `width` is the first convolution's channel count (64 for the teacher); all others are multiples of it.
    """

    def __init__(self, width: int, se_reduction: int, num_classes: int) -> None:
        super().__init__()
        stem = [width, width * 2, width * 4]
        self.conv1 = nn.Conv2d(3, stem[0], 3, padding=1)
        self.bn1 = nn.BatchNorm2d(stem[0])
        self.conv2 = nn.Conv2d(stem[0], stem[1], 3, padding=1)
        self.bn2 = nn.BatchNorm2d(stem[1])
        self.conv3 = nn.Conv2d(stem[1], stem[2], 3, padding=1)
        self.bn3 = nn.BatchNorm2d(stem[2])
        self.se = SqueezeExcite(stem[2], stem[2] // se_reduction)
        self.res_block1 = ResidualBlock(width * 4, width * 8)
        self.res_block2 = ResidualBlock(width * 8, width * 16)
        self.res_block3 = ResidualBlock(width * 16, width * 32)
        self.pool = nn.MaxPool2d(2)
        self.dropout1 = Dropout(0.2)
        self.dropout2 = Dropout(0.5)
        self.fc1 = nn.Linear(width * 32, width * 16)
        self.fc2 = nn.Linear(width * 16, width * 8)
        self.fc3 = nn.Linear(width * 8, width * 4)
        self.fc4 = nn.Linear(width * 4, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout1(self.pool(torch.relu_(self.bn1(self.conv1(x)))))  # (B, w, H/2, W/2)
        x = self.dropout1(self.pool(torch.relu_(self.bn2(self.conv2(x)))))  # (B, 2w, H/4, W/4)
        x = self.se(self.pool(torch.relu_(self.bn3(self.conv3(x)))))  # (B, 4w, H/8, W/8)
        x = self.res_block3(self.res_block2(self.res_block1(x)))  # (B, 32w, H/64, W/64)
        x = x.mean(dim=(2, 3))
        for layer in (self.fc1, self.fc2, self.fc3):
            x = self.dropout2(torch.relu(layer(x)))
        logits: Tensor = self.fc4(x)
        return logits


def resemotenet(num_classes: int) -> ResEmoteNet:
    return ResEmoteNet(64, 16, num_classes)


def resemotenet_a(num_classes: int) -> ResEmoteNet:
    return ResEmoteNet(32, 16, num_classes)


def resemotenet_b(num_classes: int) -> ResEmoteNet:
    return ResEmoteNet(16, 16, num_classes)


def resemotenet_c(num_classes: int) -> ResEmoteNet:
    """Its squeeze-excite does not squeeze: only reduction 1 gives the printed parameter count."""
    return ResEmoteNet(8, 1, num_classes)


NETWORKS = {
    "resemotenet": resemotenet,
    "resemotenet_a": resemotenet_a,
    "resemotenet_b": resemotenet_b,
    "resemotenet_c": resemotenet_c,
}
