"""Checks a StyleGAN2's settings as read from a file: plain numbers within bounds, and no other kind of network.

stylegan2-ada-pytorch keeps those of the synthesis in synthesis_kwargs, stylegan3's train.py (--cfg=stylegan2) beside the
others, with defaults of its own.
"""

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
    "fused_modconv_default",
    "embed_features",
    "w_avg_beta",
}  # memory layout, order of computation, labels, training: images do not depend on them
FLAT_DEFAULTS = {"num_fp16_res": 4, "conv_clamp": 256}  # stylegan3's, where its file leaves them out
WORDS = {  # how a message begins that names a setting which is not read; {} is its value
    "c_dim": "it is conditional (c_dim {}); only unconditional ones are read",
    "img_channels": "its images have {} channels; only those of 3 are read",
}
STYLEGAN3 = {
    "conv_kernel", "filter_size", "first_cutoff", "first_stopband", "last_stopband_rel", "lrelu_upsampling",
    "magnitude_ema_beta", "margin_size", "num_critical", "output_scale", "use_radial_filters",
}  # fmt: skip


class UnreadError(ValueError):
    """A whole file of a kind that is not read: getting it again would not help."""


def published(state: Mapping[str, Any]) -> Settings:
    """From the attributes of a pickled Generator, which records its arguments. Raises ValueError."""
    given = dict(state["_init_kwargs"])
    if state["_init_args"]:
        raise ValueError("its settings have no names")
    mapping, synthesis = dict(given.pop("mapping_kwargs", {})), dict(given.pop("synthesis_kwargs", {}))
    check_kind(state, {**given, **synthesis})
    if mapping.pop("layer_features", None) not in (None, given.get("w_dim")):
        raise ValueError("its layer_features are not its w_dim")
    flat = is_flat(state, given)
    found = pick(given, (*TOP, *SYNTHESIS) if flat else TOP)
    found |= pick(mapping, MAPPING) | pick(synthesis, SYNTHESIS)
    return checked({**FLAT_DEFAULTS, **found} if flat else found)


def is_flat(state: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether stylegan3's code made it; where no setting tells, its synthesis does, which keeps num_fp16_res."""
    if any(name in given for name in (*SYNTHESIS, "fused_modconv_default")):
        return True
    return "num_fp16_res" in getattr(part_of(state, "synthesis"), "state", {})


def check_kind(state: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raises UnreadError for a StyleGAN3, which is told by its settings, or by the layer that makes its input."""
    inner = getattr(part_of(state, "synthesis"), "state", {})
    signs = [f"setting {name}" for name in given if name in STYLEGAN3]
    signs += ["layer synthesis.input"] if part_of(inner, "input") is not None else []
    if signs:
        raise UnreadError(f"it is a StyleGAN3 generator (it has the {signs[0]}); only StyleGAN2 is read")


def part_of(state: Mapping[str, Any], name: str) -> Any:
    """A layer of a pickled module; None where it has none of this name."""
    layers = state.get("_modules")
    return layers.get(name) if isinstance(layers, dict) else None


def pick(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The settings in `names`; the others must have a supported value."""
    for name, value in given.items():
        if name in names or known(name, value):
            continue
        if name in ONLY:
            only = " ".join(map(str, ONLY[name]))
            words = WORDS.get(name, f"its {name} is {{}}; only {only} is read")
            raise UnreadError(words.format(safe_repr(value)))
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
