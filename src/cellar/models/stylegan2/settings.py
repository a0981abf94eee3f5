"""Checks a StyleGAN2's settings as read from a file: plain numbers within bounds, and no other kind of network."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from cellar.errors import safe_repr
from cellar.models.stylegan2.network import Settings

MOST_LAYERS, MOST_PIXELS, MOST_NUMBER = 64, 4096, 1 << 20
TOP = ("z_dim", "w_dim", "img_resolution")
MAPPING = ("num_layers", "lr_multiplier")
SYNTHESIS = ("channel_base", "channel_max", "num_fp16_res", "conv_clamp")
ONLY: dict[str, tuple[Any, ...]] = {  # further settings of published networks, with the only supported values
    "c_dim": (0,),
    "img_channels": (3,),
    "activation": ("lrelu",),
    "architecture": ("skip",),
    "resample_filter": ([1, 3, 3, 1],),
    "kernel_size": (3,),
    "use_noise": (True,),
}
UNUSED = {
    "fp16_channels_last",
    "embed_features",
    "w_avg_beta",
}  # memory layout, labels, training: images do not depend on them


def published(state: Mapping[str, Any]) -> Settings:
    """From the attributes of a pickled Generator, which records its arguments. Raises ValueError."""
    given = dict(state["_init_kwargs"])
    if state["_init_args"]:
        raise ValueError("its settings have no names")
    parts = {"mapping_kwargs": MAPPING, "synthesis_kwargs": SYNTHESIS}
    found = pick(given, (*TOP, *parts))
    for part, names in parts.items():
        inner = dict(found.pop(part, {}))
        if part == "mapping_kwargs" and inner.pop("layer_features", None) not in (None, given.get("w_dim")):
            raise ValueError("its layer_features are not its w_dim")
        found |= pick(inner, names)
    return checked(found)


def pick(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The settings in `names`; the others must have a supported value."""
    for name, value in given.items():
        if name not in names and not known(name, value):
            raise ValueError(f"its setting {safe_repr(name)} is {safe_repr(value)}, which is not StyleGAN2's")
    return {name: value for name, value in given.items() if name in names}


def known(name: str, value: Any) -> bool:
    return name in UNUSED or any(type(value) is type(other) and value == other for other in ONLY.get(name, ()))


def checked(found: Mapping[str, Any]) -> Settings:
    """Raises ValueError unless all names, types and bounds are those of Settings."""
    known_names = {field.name for field in dataclasses.fields(Settings)}
    for name, value in found.items():
        if name not in known_names or not fits(name, value):
            raise ValueError(f"its setting {safe_repr(name)} is {safe_repr(value)}")
    return Settings(**found)


def fits(name: str, value: Any) -> bool:
    if name == "conv_clamp" and value is None:
        return True
    if name in {"lr_multiplier", "conv_clamp"}:
        return type(value) in (int, float) and 0 < value < MOST_NUMBER
    if type(value) is not int:
        return False
    if name == "img_resolution":
        return 4 <= value <= MOST_PIXELS and value.bit_count() == 1
    lowest, most = {"num_layers": (1, MOST_LAYERS), "num_fp16_res": (0, MOST_LAYERS)}.get(name, (1, MOST_NUMBER))
    return lowest <= value <= most
