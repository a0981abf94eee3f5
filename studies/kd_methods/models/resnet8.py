"""The smallest residual network for CIFAR: one block a stage, 6n + 2 layers for n = 1 (He et al., arXiv:1512.03385, section 4.2).

Widths and state-dict keys are those of resnet20, so every method of distillation serves the two. 84,388 parameters at 100 classes.
"""

from cellar.models.resnet_cifar import WIDTHS, CifarResNet


def resnet8(num_classes: int) -> CifarResNet:
    """(B, 3, 32, 32) -> logits (B, num_classes)."""
    return CifarResNet(8, WIDTHS, num_classes)


NETWORKS = {"resnet8": resnet8}
