"""The comprehensive overhaul of feature distillation (OFD, Heo et al., arXiv:1904.01866, section 3).

    t' = max(t, m),  s' = BN(1x1 convolution of the student's),  before the last ReLU of stage i of n
    loss = CE(labels) + feature_weight / B Σ stages 2^(i - n) Σ (s' - t')²  over places where s' > t' or t' > 0

m is a margin for each channel, from the weight w and bias b of the teacher's batch norm there: the mean of N(b, |w|) below
0, or -3 |w| where hardly anything is. Weight 1/1000 as in the authors' code (clovaai/overhaul-distillation); mdistiller's
loss is the same. Both run the teacher in training mode; here it is in evaluation mode. Where sizes differ, which the
authors' code does not take, the larger map is pooled.

Teacher: maps of each stage before the activation, its batch norms. Sampler: every image once per epoch. Evaluation:
accuracy and loss (Classifier).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Weight
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch
from cellar.errors import CellarError
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import preactivation_pairs, projection, same_size
from cellar.models.features import FeatureNetwork, Features, norms_of

RARE = 0.001  # a channel that is negative with a smaller probability has its margin at -3 |w|


class OFD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 0.001  # of the partial distance

    params: Params

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        teacher = settings.teacher
        if teacher and not norms_of(teacher.model, teacher.model_file):
            raise CellarError(
                f"{settings.key}: method ofd: no batch norm stands before the activations of {teacher.model}, whose margins "
                "it needs; name another teacher"
            )

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        maps = preactivation_pairs(student, teacher)
        return nn.ModuleList([connector(own.shape[1], taught.shape[1]) for own, taught in maps])

    def prepare(self, data: TrainData) -> None:
        super().prepare(data)
        network = self.teacher.model
        assert isinstance(network, FeatureNetwork)
        self.margins = [margin(norm.weight, norm.bias) for norm in network.stage_norms]

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        maps = list(preactivation_pairs(student, teacher))
        own = [layer(one) for layer, (one, _) in zip(self.student.layers.children(), maps, strict=True)]
        taught = [one for _, one in maps]
        return partial_distance(own, taught, self.margins[: len(taught)]) / len(student.vector)


def connector(inputs: int, outputs: int) -> nn.Module:
    """Maps of a student (B, inputs, H, W) -> (B, outputs, H, W); first weights normal by fan-out."""
    layers = projection(inputs, outputs)
    nn.init.normal_(layers.get_parameter("0.weight"), std=math.sqrt(2 / outputs))
    return layers


def partial_distance(student: Sequence[Tensor], teacher: Sequence[Tensor], margins: Sequence[Tensor]) -> Tensor:
    """Sum over everything, of projected and teacher's maps (B, C, H, W) before the activation, with margins (C,)."""
    distances = [one_distance(*maps) for maps in zip(student, teacher, margins, strict=True)]
    weighted = [2.0 ** (place + 1 - len(distances)) * distance for place, distance in enumerate(distances)]
    return sum(weighted[1:], weighted[0])


def one_distance(student: Tensor, teacher: Tensor, margin: Tensor) -> Tensor:
    student, teacher = same_size(student, teacher)
    target = torch.maximum(teacher, margin.to(teacher.dtype).view(1, -1, 1, 1))
    counted = (student > target) | (target > 0)
    return ((student - target).square() * counted).sum()


@torch.no_grad()
def margin(weight: Tensor, bias: Tensor) -> Tensor:
    """Margins (C,) float32 of channels with a batch norm's weight and bias (C,), computed in float64."""
    mean, deviation = bias.double(), weight.double().abs()
    below = torch.special.ndtr(-mean / deviation)  # probability that N(mean, deviation) is negative
    density = (-(mean / deviation).square() / 2).exp() / math.sqrt(2 * math.pi)
    return torch.where(below > RARE, mean - deviation * density / below, -3 * deviation).float()


METHOD = OFD
