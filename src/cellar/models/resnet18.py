"""ResNet-18 (He et al., arXiv:1512.03385): torchvision's network, keys and first weights, with its features.

Parameters at 105 classes: 11,230,377. torchvision's published ImageNet weights expect normalisation `imagenet`.
"""

from torch import Tensor
from torchvision.models import resnet


class ResNet18(resnet.ResNet):  # type: ignore[misc]  # torchvision has no types
    """(B, 3, H, W) -> logits (B, num_classes); made for 224x224, any size from 1x1 on gives logits."""

    feature_dim = 512
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__(resnet.BasicBlock, [2, 2, 2, 2], num_classes=num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 512), none negative."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (B, 64, H/4, W/4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (B, 512, H/32, W/32)
        features: Tensor = self.avgpool(x).flatten(1)
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


def resnet18(num_classes: int) -> ResNet18:
    return ResNet18(num_classes)


NETWORKS = {"resnet18": resnet18}
