"""Architectures by name. One file a family; importing this package does not import torch."""

import difflib
import importlib
from typing import TYPE_CHECKING

from cellar.errors import CellarError

if TYPE_CHECKING:
    from torch import nn

MODULES = {  # name, also the builder's -> the module that builds it
    "resemotenet": "cellar.models.resemotenet",
    "resemotenet_a": "cellar.models.resemotenet",
    "resemotenet_b": "cellar.models.resemotenet",
    "resemotenet_c": "cellar.models.resemotenet",
    "resnet32x4": "cellar.models.resnet_cifar",
    "resnet8x4": "cellar.models.resnet_cifar",
    "cnn4": "cellar.models.cnn4",
}


def known() -> list[str]:
    return list(MODULES)


def module_of(name: str) -> str:
    """The module that builds `name`. Raises CellarError that suggests the likely name."""
    if name not in MODULES:
        close = difflib.get_close_matches(name, MODULES, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise CellarError(f"no model is called {name!r}{hint}; known: {', '.join(MODULES)}")
    return MODULES[name]


def build(name: str, num_classes: int) -> "nn.Module":
    """A fresh model; its initial weights follow torch's global seed, which the caller sets."""
    model: nn.Module = getattr(importlib.import_module(module_of(name)), name)(num_classes)
    return model


def check_input_size(name: str, size: int) -> None:
    """Raises CellarError when `name` does not take images of `size` pixels; tried without memory for the weights."""
    import torch

    with torch.device("meta"):
        try:
            build(name, num_classes=2).eval()(torch.empty(1, 3, size, size))
        except RuntimeError:
            raise CellarError(
                f"{name} does not take images of {size} x {size} pixels; mend input_size of its data set in params.yaml"
            ) from None
