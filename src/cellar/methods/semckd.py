"""Cross-layer distillation with semantic calibration (SemCKD, Chen et al., arXiv:2012.03236, section 3).

    q_i, k_j = MLP of each row of F Fᵀ (B, B), divided by its length, F the flattened map of student stage i, teacher stage j
    α_ij = softmax over j of <q_i, k_j> / softness, for each image
    loss = CE(labels) + distill_weight T² KL + feature_weight Σ_ij α_ij mean (r_ij(s_i) - t_j)² / stages of the student

The sum is averaged over the batch; r_ij is 1x1, 3x3 and 1x1 convolutions, the first two with batch norm and ReLU; the larger
map is pooled. Weights are the authors' for CIFAR-100 (DefangChen/SimKD). The MLPs read as many numbers as a batch has
images, so the last images of an epoch that fill no batch are left out.

Teacher: maps of each stage (f1, f2, f3). Sampler: every image at most once per epoch, whole batches. Evaluation: accuracy and
loss (Classifier).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Count, Positive, Weight
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Sampler
from cellar.errors import CellarError
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import projection, same_size, stages
from cellar.models.features import Features


class SemCKD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        distill_weight: Weight = 1.0
        feature_weight: Weight = 400.0  # of the calibrated distance
        softness: Positive = 1.0  # by which the attention's logits are divided
        factor: Count = 4  # how much shorter queries and keys are than a batch

    params: Params

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        if settings.recipe.batch_size < self.params.factor:
            raise CellarError(
                f"{settings.key}: method semckd: batch_size must be at least factor, {self.params.factor}"
            )

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return Calibration(stages(student), stages(teacher), self.params.factor, self.params.softness)

    def sampler(self, data: TrainData) -> Sampler:
        return WholeBatches(super().sampler(data), data.settings.recipe.batch_size)

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        loss: Tensor = self.student.layers(stages(student), stages(teacher))
        return loss


@dataclass(frozen=True)
class WholeBatches:
    """The images of another sampler without the last ones that fill no batch. Raises CellarError if none are left."""

    sampler: Sampler
    batch_size: int

    @property
    def size(self) -> int:
        whole = self.sampler.size - self.sampler.size % self.batch_size
        if not whole:
            raise CellarError(f"an epoch's {self.sampler.size} images fill no batch; lower batch_size in the recipe")
        return whole

    def __call__(self, epoch: int) -> EpochIndices:
        indices = self.sampler(epoch)
        return EpochIndices(indices.image[: self.size], indices.augmentation[: self.size])


class Calibration(nn.Module):
    """Student's and teacher's maps (B, C, H, W) of all stages -> the calibrated distance. B is always the same."""

    def __init__(self, student: Sequence[Tensor], teacher: Sequence[Tensor], factor: int, softness: float) -> None:
        super().__init__()
        batch, self.softness = len(student[0]), softness
        self.queries = nn.ModuleList(mlp(batch, batch // factor) for _ in student)
        self.keys = nn.ModuleList(mlp(batch, batch // factor) for _ in teacher)
        self.regressors = nn.ModuleList(
            nn.ModuleList(regressor(own.shape[1], taught.shape[1]) for taught in teacher) for own in student
        )

    def forward(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        attention = self.attention(student, teacher)
        return (attention * self.distances(student, teacher)).sum() / len(student[0]) / len(student)

    def attention(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        """(B, student's stages, teacher's stages), of sum 1 over the last."""
        queries, keys = embedded(self.queries, student), embedded(self.keys, teacher)
        return functional.softmax(queries @ keys.transpose(1, 2) / self.softness, dim=2)

    def distances(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        """(B, student's stages, teacher's stages): mean squared distances of each image."""
        rows = []
        for own, regressors in zip(student, self.regressors, strict=True):
            assert isinstance(regressors, nn.ModuleList)
            for taught, layer in zip(teacher, regressors, strict=True):
                own_sized, target = same_size(own, taught)
                rows.append((layer(own_sized) - target).square().flatten(1).mean(1))
        return torch.stack(rows, 1).view(len(student[0]), len(student), len(teacher))


def embedded(mlps: nn.ModuleList, maps: Sequence[Tensor]) -> Tensor:
    """(B, stages, width), of length 1: from the products of each image's map with those of the batch."""
    flat = [full_precision(one).flatten(1) for one in maps]
    rows = [functional.normalize(layer(one @ one.T)) for layer, one in zip(mlps, flat, strict=True)]
    return torch.stack(rows, 1)


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 2 * outputs), nn.ReLU(), nn.Linear(2 * outputs, outputs))


def regressor(inputs: int, outputs: int) -> nn.Sequential:
    """Maps of a student (B, inputs, H, W) -> (B, outputs, H, W)."""
    width = 2 * outputs
    middle = nn.Conv2d(width, width, 3, padding=1, bias=False)
    last = nn.Conv2d(width, outputs, 1, bias=False)
    return nn.Sequential(*projection(inputs, width), nn.ReLU(), middle, nn.BatchNorm2d(width), nn.ReLU(), last)


METHOD = SemCKD
