"""The reused teacher classifier (SimKD, Chen et al., arXiv:2203.14001, section 3).

    loss = feature_weight mean (projector(student map) - teacher map)²
    prediction = W pool(projector(student map)) + b,  W, b the teacher's classifier, frozen

The projector is 1x1, 3x3 and 1x1 convolutions, each with batch norm and ReLU, C/factor channels wide inside for C of the
teacher. The larger last map is pooled. The authors' CIFAR-100 defaults (DefangChen/SimKD) are factor 2 and neither
cross-entropy nor KL.

The projector and the teacher's classifier are part of the student that is saved, tested and deployed; its own classifier is
kept, never trained and never used.

Teacher: its last map (f3), its classifier. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier),
of the prediction above.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Count, Weight
from cellar.engine.training import Batch
from cellar.methods.feature_distillation import FeatureDistillation, Student, check_pooled
from cellar.methods.maps import Size, pooled, projection, same_size, size_of
from cellar.models.features import Features

PREFIX = "reused."  # of the names in a weights file that are not the network's


class SimKD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        task_weight: Weight = 0.0
        feature_weight: Weight = 1.0  # of the distance between the maps
        factor: Count = 2  # how much narrower than the teacher's map the projector is inside

    params: Params
    needs_teacher = "last_map"

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        check_pooled(settings, "name another teacher")

    def unsuited(self, student: Features, teacher: Features) -> str:
        channels = teacher.maps[-1].shape[1]
        return "" if channels >= self.params.factor else f"factor must be at most {channels}, the teacher's channels"

    def wrap(self, model: nn.Module) -> nn.Module:
        self.student = ReusingStudent(model)
        return self.student

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        classifier, width = self.teacher_classifier, teacher.maps[-1].shape[1] // self.params.factor
        widths = student.maps[-1].shape[1], width, classifier.in_features, classifier.out_features
        return Reused(*widths, size_of(teacher.maps[-1])).take(classifier)

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return map_loss(student.maps[-1], teacher.maps[-1])


class Reused(nn.Module):
    """A student's features -> the same with the last map projected, and the vector and logits that follow from it."""

    weight: Tensor  # (classes, outputs), the teacher's, as bias (classes,)
    bias: Tensor
    size: Tensor  # (2,), `pooled_to`

    def __init__(self, inputs: int, width: int, outputs: int, classes: int, pooled_to: Size) -> None:
        """`pooled_to`: the size of the teacher's last map, to which a larger one is pooled."""
        super().__init__()
        self.pooled_to = pooled_to
        middle = nn.Conv2d(width, width, 3, padding=1, bias=False)
        last = projection(width, outputs)
        self.projector = nn.Sequential(
            *projection(inputs, width), nn.ReLU(), middle, nn.BatchNorm2d(width), nn.ReLU(), *last, nn.ReLU()
        )
        self.register_buffer("weight", torch.zeros(classes, outputs))
        self.register_buffer("bias", torch.zeros(classes))
        self.register_buffer("size", torch.tensor(pooled_to))

    def take(self, classifier: nn.Linear) -> "Reused":
        """Use the teacher's classifier."""
        self.weight.copy_(classifier.weight.detach())
        self.bias.copy_(classifier.bias.detach())
        return self

    def forward(self, features: Features) -> Features:
        height, width = map(min, zip(size_of(features.maps[-1]), self.pooled_to, strict=True))
        projected = self.projector(pooled(features.maps[-1], (height, width)))
        vector = projected.mean((2, 3))
        logits = functional.linear(vector, self.weight, self.bias)
        return features._replace(maps=(*features.maps[:-1], projected), vector=vector, logits=logits)


class ReusingStudent(Student):
    """A network with the teacher's classifier: in training (B, 3, H, W) -> Features, else logits (B, classes).

    Its state dict has the network's own names, beside them those of Reused.
    """

    def forward(self, images: Tensor) -> Features | Tensor:
        features: Features = self.layers(self.network.features(images))  # type: ignore[operator]  # a method, not a layer
        return features if self.training else features.logits

    def take_shapes(self, state: Mapping[str, Tensor]) -> None:
        """Make the layers that a weights file has; it has none if it is another method's, which `mismatch` then says."""
        names = [f"{PREFIX}{name}" for name in ("projector.0.weight", "projector.6.weight", "weight", "size")]
        if all(name in state for name in names):
            (width, inputs, *_), (outputs, *_), (classes, _), _ = (state[name].shape for name in names)
            height, across = state[names[-1]].tolist()
            self.add(Reused(inputs, width, outputs, classes, (height, across)).to(state[names[0]].device))

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        reused = {f"{PREFIX}{name}": tensor for name, tensor in self.layers.state_dict().items()}
        return {**self.network.state_dict(), **reused}

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        own = {name.removeprefix(PREFIX): tensor for name, tensor in state_dict.items() if name.startswith(PREFIX)}
        self.layers.load_state_dict(own, *args, **kwargs)
        network = {name: tensor for name, tensor in state_dict.items() if not name.startswith(PREFIX)}
        return self.network.load_state_dict(network, *args, **kwargs)


def map_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Of the projected and the teacher's map (B, C, H, W); the larger one is pooled."""
    return functional.mse_loss(*same_size(student, teacher))


METHOD = SimKD
