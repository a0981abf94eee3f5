"""Inter-channel correlation (Liu et al., arXiv:2202.03680), the form for classification.

    G(F) = F Fᵀ of each image, F its map flattened, (C, H·W), each row divided by its length
    loss = CE(labels) + feature_weight Σ (G(BN(1x1 convolution of the student)) - G(teacher))² / (C · B)

On the last map. The authors' CIFAR-100 code (ADLab-AutoDrive/ICKD) divides by C · B, its README has weight 2.5 (its shell
script 4). Their ImageNet code, and torchdistill, divide by C · B²: `divided_by: channels_and_squared_batch`.

Teacher: its last map (f3). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import projection
from cellar.models.features import Features


class ICKD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 2.5  # of the correlation loss
        # by what the sum of squares is divided: of CIFAR-100 or of ImageNet
        divided_by: Literal["channels_and_batch", "channels_and_squared_batch"] = "channels_and_batch"

    params: Params
    needs_teacher = "last_map"

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return projection(student.maps[-1].shape[1], teacher.maps[-1].shape[1])

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        loss = correlation_loss(self.student.layers(student.maps[-1]), teacher.maps[-1])
        return loss / len(teacher.vector) if self.params.divided_by == "channels_and_squared_batch" else loss


def correlation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Of maps (B, C, H, W) of the same C; H and W may differ."""
    return (correlations(student) - correlations(teacher)).square().sum((1, 2)).mean() / teacher.shape[1]


def correlations(maps: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, C), rows of length 1; 0 where a channel is."""
    flat = full_precision(maps).flatten(2)
    return functional.normalize(flat @ flat.transpose(1, 2), dim=2)


METHOD = ICKD
