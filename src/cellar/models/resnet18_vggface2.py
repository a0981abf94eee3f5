"""ResNet-18 in the frame of VGGFace2's ResNet-50, as the small-dataset study's authors build theirs.

Its first pool has no padding but rounds its size up (cydonia999/VGGFace2-pytorch); the rest is ResNet-18 (He et al.,
arXiv:1512.03385), with the same keys, first weights and parameters: 11,230,377 at 105 classes.
"""

from torch import nn

from cellar.models.resnet18 import ResNet18


class ResNet18Vggface2(ResNet18):
    """(B, 3, H, W) -> logits (B, num_classes); made for 224x224, where other pixels meet in the pool than in resnet18."""

    feature_dim = 512
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)


def resnet18_vggface2(num_classes: int) -> ResNet18Vggface2:
    return ResNet18Vggface2(num_classes)


NETWORKS = {"resnet18_vggface2": resnet18_vggface2}
