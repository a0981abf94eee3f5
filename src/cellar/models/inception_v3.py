"""InceptionV3 (Szegedy et al., arXiv:1512.00567) with its auxiliary head: torchvision's network, keys and weights.

Parameters at 105 classes: 24,639,154, of which the auxiliary head has 2,638,441. torchvision's published ImageNet
weights are TensorFlow's, which learnt (p - 0.5) / 0.5 of pixels p from 0 to 1: normalisation `symmetric` here.
torchvision makes the same of ImageNet-normalised input inside the network (transform_input), which is off here.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import inception

# At 299x299 the auxiliary head meets 17x17 and pools it to 5x5, the size of its kernel.
MET, POOLED = 17, 5
TO_AUXILIARY = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2",
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
)  # fmt: skip
TO_FEATURES = ("Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool")
BLOCKS = (
    inception.BasicConv2d, inception.InceptionA, inception.InceptionB,
    inception.InceptionC, inception.InceptionD, inception.InceptionE,
)  # fmt: skip


class SmallMapPool(torch.autograd.Function):
    """functional.adaptive_avg_pool2d to 5x5, whose own derivative a GPU only computes in an undetermined order.

    Here it is computed cell by cell: of maps in channels last, to the same bits as on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return functional.adaptive_avg_pool2d(x, POOLED)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        total = torch.zeros_like(x)
        rows, columns = (pooled_parts(side) for side in x.shape[-2:])
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                share = gradient[:, :, i : i + 1, j : j + 1] / ((bottom - top) * (right - left))
                total[:, :, top:bottom, left:right] += share
        return total


def pooled_parts(side: int) -> list[tuple[int, int]]:
    """Where the parts of a side begin and end that are averaged; they overlap unless their number divides it."""
    return [(number * side // POOLED, -(-(number + 1) * side // POOLED)) for number in range(POOLED)]


class AuxiliaryHead(inception.InceptionAux):  # type: ignore[misc]  # torchvision has no types
    """(B, 768, h, w) -> logits (B, num_classes). torchvision's needs 17x17, of images of 299x299; here smaller
    ones, such as the 12x12 of the study's 224x224, are pooled to the same 5x5.
    """

    def forward(self, x: Tensor) -> Tensor:
        small = min(x.shape[-2:]) < MET
        x = SmallMapPool.apply(x) if small else functional.avg_pool2d(x, POOLED, stride=3)
        x = self.conv1(self.conv0(x))
        logits: Tensor = self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


class InceptionV3(inception.Inception3):  # type: ignore[misc]  # torchvision has no types
    """(B, 3, H, W), sides from 75 on, -> logits (B, num_classes).

    In train mode, while `auxiliary` is on, (logits, the auxiliary head's logits).
    """

    feature_dim = 2048
    last_layer = "fc"
    auxiliary_layer = "AuxLogits.fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, init_weights=True, inception_blocks=[*BLOCKS, AuxiliaryHead])
        self.auxiliary = True

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048), none negative; before the dropout."""
        return self.run(TO_FEATURES, self.run(TO_AUXILIARY, x)).flatten(1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        half_way = self.run(TO_AUXILIARY, x)  # (B, 768, h, w)
        auxiliary: Tensor | None = self.AuxLogits(half_way) if self.training and self.auxiliary else None
        logits: Tensor = self.fc(self.dropout(self.run(TO_FEATURES, half_way).flatten(1)))
        return logits if auxiliary is None else (logits, auxiliary)

    def run(self, layers: tuple[str, ...], x: Tensor) -> Tensor:
        for name in layers:
            layer: nn.Module = getattr(self, name)
            x = layer(x)
        return x


def inception_v3(num_classes: int) -> InceptionV3:
    return InceptionV3(num_classes)


NETWORKS = {"inception_v3": inception_v3}
