"""Live teachers: logits and penultimate activations of a batch, for methods that use more than cached logits."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellar.engine.teacher import FixedBatchTeacher


@dataclass(frozen=True)
class TeacherOutput:
    """Logits (B, C) and penultimate activations (B, D) of a batch, float32, without gradients."""

    logits: Tensor
    features: Tensor


def forward_with_features(teacher: FixedBatchTeacher, image: Tensor, augmentation: Tensor) -> TeacherOutput:
    """Run a teacher on image numbers and augmentation indices (N,); the features are the input of its last layer."""
    captured: list[Tensor] = []

    def capture(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        captured.append(inputs[0].float())

    hook = last_layer(teacher.model).register_forward_pre_hook(capture)
    try:
        logits = list(teacher.outputs(image, augmentation))
    finally:
        hook.remove()
    features = [padded[: len(part)] for padded, part in zip(captured, logits, strict=True)]
    # A tensor made in inference mode cannot be saved for a backward pass; a copy can.
    return TeacherOutput(torch.cat(logits).clone(), torch.cat(features).clone())


def last_layer(model: nn.Module) -> nn.Module:
    """The layer that gives the logits: the one that the network names, else its last linear layer."""
    name = getattr(model, "last_layer", None)
    if isinstance(name, str):
        return model.get_submodule(name)
    return [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
