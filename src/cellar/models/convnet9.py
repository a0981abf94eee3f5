"""ConvNet-9, the small-dataset study's student: nine convolutions, three pools and one linear layer.

Layers, first weights and state-dict keys are those of the authors' repository, and the shapes those of fig. 7:
17,625,833 parameters at 105 classes.
"""

from torch import Tensor, nn

FEATURES = 2048


class ConvNet9(nn.Module):
    """(B, 3, H, W) -> logits (B, num_classes). Made for 224x224; 146x146 is the smallest size that
    survives the pools; a size that does not end as 1x1 is a RuntimeError.
    """

    feature_dim = FEATURES
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layer1 = convolution(3, 32, stride=1)
        self.layer2 = convolution(32, 128)
        self.layer2_2 = convolution(128, 64)
        self.layer3 = convolution(64, 256)
        self.layer4 = convolution(256, 128)
        self.layer4_2 = convolution(128, 512)
        self.layer5 = convolution(512, 1024, kernel=2)
        self.layer6 = convolution(1024, 512)
        self.layer6_2 = convolution(512, FEATURES)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(FEATURES, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048); shapes behind are those at 224x224."""
        x = self.pool(self.layer1(x))  # (B, 32, 112, 112)
        x = self.pool(self.layer3(self.layer2_2(self.layer2(x))))  # (B, 256, 7, 7)
        x = self.pool(self.layer5(self.layer4_2(self.layer4(x))))  # (B, 1024, 1, 1)
        features: Tensor = self.layer6_2(self.layer6(x)).flatten(1)
        if features.shape[1] != FEATURES:
            raise RuntimeError(f"images of {features.shape[1]} features, not {FEATURES}: too large")
        return features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.features(x))
        return logits


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 2) -> nn.Sequential:
    """With its batch norm and ReLU; weights normal by fan-out, sqrt(2 / (kernel^2 * outputs)), as the authors'."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def convnet9(num_classes: int) -> ConvNet9:
    return ConvNet9(num_classes)


NETWORKS = {"convnet9": convnet9}
