"""Weights on disk: safetensors for our own; published checkpoints read without executing what they hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor, nn

from cellar import files
from cellar.errors import CellarError
from cellar.models import inert_pickle, torch_file

WRAPPERS = ("model_state_dict", "state_dict", "model")  # keys under which published files keep the weights
MOST_BYTES = 4 << 30


def save(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors. Same values, same bytes: layout and device leave no trace."""
    plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with files.atomic(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(plain))


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a .safetensors file or a published checkpoint (a bare state dict, or one under 'model_state_dict',
    'state_dict' or 'model') into `model`; other files and other models leave it as it was. What else a
    checkpoint holds (optimizer, options) is skipped: nothing of a file is executed.

    Raises CellarError when the file is missing, broken, holds no tensors by name, or another model's.
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
        content = safetensors.torch.load_file(path) if path.suffix == ".safetensors" else torch_file.read(path)
    except CellarError:
        raise
    except Exception as error:  # what a broken file does to the readers has no common type
        reason = " ".join(str(error).split())[:120]
        raise CellarError(f"{path} is broken or no weights file ({reason}); get it again") from None
    return unwrap(content, path)


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict inside a checkpoint, without the prefix that DataParallel adds."""
    for key in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not is_state_dict(content):
        places = ", ".join(WRAPPERS)
        raise CellarError(f"{path} holds no state dict (neither bare nor under {places}); {instead(content)}")
    return {name.removeprefix("module."): value for name, value in content.items()}


def is_state_dict(content: Any) -> bool:
    if not isinstance(content, dict) or not content:
        return False
    return all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items())


def instead(content: Any) -> str:
    """What to do about a file without state dict; names the first object in it that was not made."""
    parts = {"it": content, **content} if isinstance(content, dict) else {"it": content}
    for place, value in parts.items():
        if name := inert_pickle.origin(value):
            return (
                f"{inert_pickle.printable(str(place))} calls for {name}, which reading it would have to execute, so it was skipped; "
                "give a file of the state dict alone (torch.save(model.state_dict(), ...))"
            )
    return "give a file that does"


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """What is wrong with `found`, in words; "" when every name and shape agrees."""
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    reshaped = [name for name in expected if name in found and expected[name].shape != found[name].shape]
    if missing:
        return f"{missing[0]} is missing ({len(missing)} missing, {len(surplus)} too many)"
    if surplus:
        return f"{inert_pickle.printable(surplus[0])} does not belong ({len(surplus)} too many)"
    if reshaped:
        name, total = reshaped[0], len(reshaped)
        return f"{name} is {tuple(found[name].shape)}, not {tuple(expected[name].shape)} ({total} shapes differ)"
    return ""
