"""Freezing: transfer learning, and the second step of feature distillation, train only the last layers."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cellar.errors import CellarError
from cellar.models.heads import heads

BatchNorm = Literal["eval", "train"]


def freeze(model: nn.Module, batch_norm: BatchNorm, keep: Sequence[str] = ()) -> None:
    """Freeze all layers except those named in `keep`, by default the model's last layer.

    Frozen batch norms use their running statistics ("eval"), also after the model is put in train mode; or they normalise
    over the batch and update their running statistics ("train"), as the authors' code did. An auxiliary head is switched
    off: its purpose is to train the trunk. Raises CellarError for an unknown layer and for a network that names no last layer.
    """
    trainable = [layer_of(model, name) for name in keep or heads(model)[:1]]
    model.requires_grad_(False)
    for layer in trainable:
        layer.requires_grad_(True)
    if hasattr(model, "auxiliary"):
        setattr(model, "auxiliary", False)  # noqa: B010  # a switch, which mypy takes for a layer
    unfrozen = {module for layer in trainable for module in layer.modules()}
    for module in model.modules():
        if batch_norm == "eval" and isinstance(module, _BatchNorm) and module not in unfrozen:
            module.register_forward_pre_hook(keep_bn_eval)


def layer_of(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        layers = ", ".join(child for child, _ in model.named_children())
        raise CellarError(f"{name!r}, which is not to be frozen, is no layer of the model; it has {layers}") from None


def keep_bn_eval(module: nn.Module, inputs: Any) -> None:
    """Runs before each forward pass, because Module.train() resets every layer at the start of each epoch."""
    module.training = False
