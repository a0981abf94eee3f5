"""Weights on disk: safetensors for our own; published checkpoints read without executing what they hold."""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from cellar import files
from cellar.errors import CellarError

WRAPPERS = ("model_state_dict", "state_dict", "model")  # keys under which published files keep the weights
PICKLED = (b"PK\x03\x04", b"\x80")  # how torch.save's files begin: a zip, or before torch 1.6 a bare pickle
MOST_BYTES = 4 << 30


def save(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors. Same values, same bytes: layout and device leave no trace."""
    plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with files.atomic(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(plain))


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a .safetensors file or a published checkpoint (a bare state dict, or one under 'model_state_dict',
    'state_dict' or 'model') into `model`; other files and other models leave it as it was.

    Raises CellarError when the file is missing, broken, holds code, or holds another model's weights.
    """
    state = read_state(path)
    problem = mismatch(model.state_dict(), state)
    if problem:
        raise CellarError(
            f"{path} holds the weights of another model: {problem}; "
            "give the file of this one, or name that model in params.yaml"
        )
    model.load_state_dict(state)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, on the CPU."""
    if not path.is_file():
        raise CellarError(f"{path} is not here; put the weights file there, or mend the path in params.yaml")
    if path.stat().st_size > MOST_BYTES:
        raise CellarError(f"{path} is larger than {MOST_BYTES >> 30} GiB: no weights of these studies; mend the path")
    try:
        content = safetensors.torch.load_file(path) if path.suffix == ".safetensors" else read_pickled(path)
    except CellarError:
        raise
    except Exception as error:  # what a broken file does to the readers has no common type
        reason = " ".join(str(error).split())[:120]
        raise CellarError(f"{path} is broken or no weights file ({reason}); get it again") from None
    return unwrap(content, path)


def read_pickled(path: Path) -> Any:
    """What torch.save wrote, if it is tensors and plain values; anything else is refused, not executed."""
    with path.open("rb") as file:
        if not file.read(4).startswith(PICKLED):
            raise ValueError("it does not begin as a file of torch.save does")
    try:
        with warnings.catch_warnings(action="ignore"):  # what matters about the file is said in one line
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = re.search(r"GLOBAL ([\w.]{1,80})", str(error))
        if refused is None:
            raise
        raise CellarError(
            f"{path} calls for {refused[1]}, which reading it would have to execute, so it was not read; "
            "keep its state dict alone (torch.save(model.state_dict(), ...)) and give that file"
        ) from None


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict inside a checkpoint, without the prefix that DataParallel adds."""
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content or not all(map(is_plain, content.values())):
        places = ", ".join(WRAPPERS)
        raise CellarError(f"{path} holds no state dict (neither bare nor under {places}); give a file that does")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def is_plain(value: Any) -> bool:
    """A tensor whose numbers are there: not sparse, quantised or on the meta device."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """What is wrong with `found`, in words; "" when every name and shape agrees."""
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    reshaped = [name for name in expected if name in found and expected[name].shape != found[name].shape]
    if missing:
        return f"{missing[0]} is missing ({len(missing)} missing, {len(surplus)} too many)"
    if surplus:
        return f"{surplus[0]} does not belong ({len(surplus)} too many)"
    if reshaped:
        name, total = reshaped[0], len(reshaped)
        return f"{name} is {tuple(found[name].shape)}, not {tuple(expected[name].shape)} ({total} shapes differ)"
    return ""
