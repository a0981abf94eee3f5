"""The outputs of a network, one for each class: which tensors have a row for each, and how to reorder them."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError


def class_axes(name: str, file: str) -> dict[str, int]:
    """Name of each tensor with a dimension for the classes -> that dimension; found without memory for the weights.

    It is the dimension that grows by one where the network is built for one class more.
    """
    with torch.device("meta"):
        fewer, more = (models.build(name, classes, file).state_dict() for classes in (2, 3))
    axes = {}
    for key, tensor in fewer.items():
        grown = [axis for axis, (a, b) in enumerate(zip(tensor.shape, more[key].shape, strict=True)) if a != b]
        if len(grown) > 1:
            raise CellarError(
                f"{name}: {key} depends on the classes in two dimensions; it cannot be bound to class names"
            )
        if grown:
            axes[key] = grown[0]
    return axes


def width(state: Mapping[str, Tensor], axes: Mapping[str, int]) -> int | None:
    """How many outputs the tensors of a weights file have, whatever prefix their names carry; None if none is found."""
    for name, axis in axes.items():
        for key, tensor in state.items():
            if (key == name or key.endswith(f".{name}")) and tensor.ndim > axis:
                return int(tensor.shape[axis])
    return None


def reorder(model: nn.Module, axes: Mapping[str, int], order: Sequence[int]) -> None:
    """Output i of `model` becomes what output order[i] was."""
    state, index = model.state_dict(), torch.tensor(order)
    model.load_state_dict({**state, **{name: state[name].index_select(axis, index) for name, axis in axes.items()}})
