"""Softmax regression representation learning (Yang et al., ICLR 2021, openreview.net/forum?id=ZzwDy_wiWv).

    x = ReLU(BN(1x1 convolution of the student's)),  W = the teacher's classifier, frozen
    loss = CE(labels) + distill_weight T² KL + feature_weight (mean (x - t)² + logit_weight mean (W x - W t)²)

`form: vectors`: on what the classifiers read, as SimKD runs it on CIFAR-100 (DefangChen/SimKD), whose weights are the
defaults. `form: maps`: on the last maps, whose means over positions are compared, the authors' own for ImageNet
(jingyang2017/SRRL).

Teacher: its vector or last map, its classifier. Sampler: every image once per epoch. Evaluation: accuracy and loss
(Classifier).
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.base import Teacher, full_precision
from cellar.methods.feature_distillation import FeatureDistillation, check_pooled
from cellar.methods.maps import projection
from cellar.models.features import Features


class SRRL(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        distill_weight: Weight = 1.0
        feature_weight: Weight = 1.0  # of both terms together
        logit_weight: Weight = 1.0  # of the second term, beside the first
        form: Literal["vectors", "maps"] = "vectors"  # what is projected

    params: Params
    needs_teacher: Teacher = "vector"  # of maps in its form of maps

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        if params.form == "maps":
            self.needs_teacher = "last_map"

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        if self.params.form == "maps":
            check_pooled(settings, "say form: vectors")

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return projection(self.projected(student).shape[1], teacher.vector.shape[1])

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        projected = torch.relu(self.student.layers(self.projected(student)))
        target = teacher.vector if self.params.form == "vectors" else teacher.maps[-1].mean((2, 3))
        return regression_loss(projected.mean((2, 3)), target, self.teacher_classifier, self.params.logit_weight)

    def projected(self, features: Features) -> Tensor:
        """(B, C, H, W), of vectors (B, C, 1, 1)."""
        return features.vector[:, :, None, None] if self.params.form == "vectors" else features.maps[-1]


def regression_loss(student: Tensor, teacher: Tensor, classifier: nn.Linear, logit_weight: float) -> Tensor:
    """Of the projected and the teacher's vectors (B, D). The gradient passes through the classifier."""
    student, teacher = full_precision(student), full_precision(teacher)
    regression = functional.mse_loss(classifier(student), classifier(teacher))
    return functional.mse_loss(student, teacher) + logit_weight * regression


METHOD = SRRL
