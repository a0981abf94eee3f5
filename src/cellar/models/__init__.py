"""Architectures by name. One file a family; importing this package does not import torch.

A name may end in a suffix: `convnet9+connector` is convnet9 with a connector of 2048 outputs before its last layer,
`+sigmoid` one whose features go through a sigmoid too (see cellar.models.connected).
"""

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
    "convnet9": "cellar.models.convnet9",
    "resnet50_vggface2": "cellar.models.resnet_vggface2",
    "resnet18": "cellar.models.resnet18",
    "inception_v3": "cellar.models.inception_v3",
    "mobilenet_v1": "cellar.models.mobilenet_v1",
}
WITH_FEATURES = ("convnet9", "resnet50_vggface2", "resnet18", "inception_v3", "mobilenet_v1")  # take a suffix
SUFFIXES = {"connector": False, "sigmoid": True}  # whether its features go through a sigmoid
LARGEST_HINT = 300  # pixels up to which a size that a model takes is looked for


def known() -> list[str]:
    """The networks by name, without suffixes."""
    return list(MODULES)


def module_of(name: str) -> str:
    """The module that builds `name`, with a suffix or without. Raises CellarError that suggests the likely name."""
    network, suffix = parse(name)
    if network not in MODULES:
        close = difflib.get_close_matches(network, MODULES, n=1)
        hint = f" (did you mean {close[0] + name.removeprefix(network)!r}?)" if close else ""
        raise CellarError(f"no model is called {name!r}{hint}; known: {', '.join(MODULES)}")
    if suffix is not None and suffix not in SUFFIXES:
        raise CellarError(f"model {name!r} ends in +{suffix}; known endings: +{', +'.join(SUFFIXES)}")
    if suffix and network not in WITH_FEATURES:
        raise CellarError(f"model {name!r}: {network} takes no +{suffix}; these do: {', '.join(WITH_FEATURES)}")
    return MODULES[network]


def parse(name: str) -> tuple[str, str | None]:
    """Network and suffix of a name: ("convnet9", "sigmoid") of convnet9+sigmoid."""
    network, plus, suffix = name.partition("+")
    return network, suffix if plus else None


def build(name: str, num_classes: int) -> "nn.Module":
    """A fresh model; its initial weights follow torch's global seed, which the caller sets."""
    network, suffix = parse(name)
    model: nn.Module = getattr(importlib.import_module(module_of(name)), network)(num_classes)
    if suffix is None:
        return model
    from cellar.models.connected import Connected

    return Connected(model, num_classes, bounded=SUFFIXES[suffix])


def check_input_size(name: str, size: int) -> None:
    """Raises CellarError when `name` does not take images of `size` pixels; tried without memory for the weights."""
    import torch

    with torch.device("meta"):
        model = build(name, num_classes=2).eval()
    if takes(model, size):
        return
    larger = next((side for side in range(size + 1, LARGEST_HINT) if takes(model, side)), None)
    hint = f" ({larger} x {larger} it does)" if larger else ""
    raise CellarError(
        f"{name} does not take images of {size} x {size} pixels{hint}; mend input_size of its data set in params.yaml"
    )


def takes(model: "nn.Module", size: int) -> bool:
    """Whether a model on the meta device gives logits of an image of `size` pixels."""
    import torch

    try:
        model(torch.empty(1, 3, size, size, device="meta"))
    except RuntimeError:
        return False
    return True
