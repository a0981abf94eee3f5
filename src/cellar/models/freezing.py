"""A trained network of which only the last layers learn on: transfer learning, and the second of two steps."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cellar.errors import CellarError
from cellar.models.heads import heads

BatchNorm = Literal["eval", "train"]


def freeze(model: nn.Module, batch_norm: BatchNorm, keep: Sequence[str] = ()) -> None:
    """Only the layers named in `keep`, by default the model's last layer, go on learning.

    The rest's batch norms are used as they are trained ("eval"), also when the model is put in train mode later; or
    normalise over the batch and go on updating their running statistics ("train"), as the authors' code did.
    An auxiliary head is switched off: it is there to teach the trunk. Raises CellarError for an unknown layer
    and for a network that names no last layer.
    """
    kept = [layer_of(model, name) for name in keep or heads(model)[:1]]
    model.requires_grad_(False)
    for layer in kept:
        layer.requires_grad_(True)
    if hasattr(model, "auxiliary"):
        setattr(model, "auxiliary", False)  # noqa: B010  # a switch, which mypy takes for a layer
    learning = {module for layer in kept for module in layer.modules()}
    for module in model.modules():
        if batch_norm == "eval" and isinstance(module, _BatchNorm) and module not in learning:
            module.register_forward_pre_hook(stand_still)


def layer_of(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        layers = ", ".join(child for child, _ in model.named_children())
        raise CellarError(f"{name!r}, which is not to be frozen, is no layer of the model; it has {layers}") from None


def stand_still(module: nn.Module, inputs: Any) -> None:
    """Before each use, since Module.train() reaches every layer at the beginning of every epoch."""
    module.training = False
