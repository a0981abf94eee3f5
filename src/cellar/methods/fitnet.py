"""FitNets' hints (Romero et al., arXiv:1412.6550, eq. 3), in one stage.

    loss = CE(labels) + feature_weight mean (r(student map) - teacher map)²,  r = ReLU(BN(convolution))

The paper trains up to the hint first and distils logits afterwards; RepDistiller trains both at once, and its hint, regressor
and weight for CIFAR-100 are the defaults (HobbitLong/RepDistiller). For a smaller student, which RepDistiller cannot take
unless it is half as large, the regressor and the pooling of the teacher are SimKD's (DefangChen/SimKD).

Teacher: the map of one stage (f2). Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from torch import Tensor, nn
from torch.nn import functional

from cellar.config.section import Count, Weight
from cellar.engine.training import Batch
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.methods.maps import Regressor, same_size
from cellar.models.features import Features


class FitNet(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 100.0  # of the hint loss
        hint_layer: Count = 2  # the stage whose map is the hint; 1 is the first after the stem

    params: Params

    def unsuited(self, student: Features, teacher: Features) -> str:
        fewest = min(len(student.maps), len(teacher.maps)) - 1
        return f"hint_layer must be at most {fewest} for these networks" if self.params.hint_layer > fewest else ""

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        return Regressor(*self.hints(student, teacher))

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        own, hint = self.hints(student, teacher)
        return hint_loss(self.student.layers(own), hint)

    def hints(self, student: Features, teacher: Features) -> tuple[Tensor, Tensor]:
        return student.maps[self.params.hint_layer], teacher.maps[self.params.hint_layer]


def hint_loss(regressed: Tensor, hint: Tensor) -> Tensor:
    """Of maps (B, C, H, W) of the same C; the larger one is pooled."""
    return functional.mse_loss(*same_size(regressed, hint))


METHOD = FitNet
