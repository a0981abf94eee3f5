"""Weights files of any origin: safetensors, and published checkpoints, read without executing anything they contain."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from cellar.data.safe_pickle import inert_pickle
from cellar.data.safe_pickle.plain_pickle import PlainArray, read_plain
from cellar.errors import CellarError, reason, safe_repr
from cellar.models import load_state, mismatch
from cellar.models.checkpoint_files import torch_file
from cellar.models.heads import heads

WRAPPERS = ("model_state_dict", "state_dict", "model")  # keys under which published files keep the weights
MOST_BYTES = 4 << 30
TORCH_STARTS = (
    b"PK\x03\x04",
    pickle.dumps(torch_file.MAGIC, 2),
)  # first bytes of torch.save's files, whatever their name


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a .safetensors file or a published checkpoint (a bare state dict, or one under 'model_state_dict',
    'state_dict' or 'model'; a .pkl of arrays by name) into `model`. A file that does not fit leaves the model as it was.
    Other contents of a checkpoint (optimizer, options) are skipped: nothing of the file is executed.

    Raises CellarError when the file is missing, broken, holds no tensors by name, or another model's.
    """
    load_state(model, read_state(path), path)


def load_trunk(model: nn.Module, path: Path) -> tuple[str, ...]:
    """Load a weights file except for the last layers, which depend on the classes. Returns the layers that keep their
    values: the last ones, and the connector if the file is of the network that is the model's trunk.

    Raises CellarError, and leaves the model as it was, when the file cannot be read or anything else does not fit.
    """
    state = read_state(path)
    trunk = getattr(model, "trunk", None)
    plain = isinstance(trunk, nn.Module) and not any(name.startswith("trunk.") for name in state)
    network: nn.Module = trunk if plain else model  # type: ignore[assignment]  # a trunk is a module
    found = without(heads(network), state)
    problem = mismatch(without(heads(network), network.state_dict()), found)
    if problem:
        raise CellarError(
            f"{path} does not fit all but the last layer of the model: {problem}; "
            "give a file of the same network, or name that network in params.yaml"
        )
    network.load_state_dict(found, strict=False)
    return ("connector", *heads(model)) if plain else heads(model)


def without(layers: tuple[str, ...], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if name.rpartition(".")[0] not in layers}


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, by name, on the CPU."""
    if not path.is_file():
        raise CellarError(f"{path} does not exist; put the weights file there, or mend the path in params.yaml")
    if path.stat().st_size > MOST_BYTES:
        raise CellarError(f"{path} is larger than {MOST_BYTES >> 30} GiB: no weights of these studies; mend the path")
    try:
        content = read_content(path)
    except CellarError:
        raise
    except Exception as error:  # the readers' errors for broken files have no common type
        why = reason(error)
        raise CellarError(f"{path} is broken or no weights file ({why}); get it again") from None
    return unwrap(content, path)


def read_content(path: Path) -> Any:
    """Read a file with the reader that its name and first bytes indicate."""
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path)
    with path.open("rb") as file:
        start = file.read(max(map(len, TORCH_STARTS)))
    if path.suffix == ".pkl" and not start.startswith(TORCH_STARTS):
        return read_arrays(path)
    return torch_file.read(path)


def read_arrays(path: Path) -> Any:
    """Read a plain pickle of NumPy arrays by name, as VGGFace2's weights are published; arrays become tensors."""
    content = read_plain(path, MOST_BYTES)
    if not isinstance(content, dict):
        return content
    return {name: tensor(value) if isinstance(value, PlainArray) else value for name, value in content.items()}


def tensor(described: PlainArray) -> Tensor:
    """A copy in this machine's byte order."""
    array = described.build()
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C"))


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict inside a checkpoint, without the prefix added by DataParallel."""
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
    """Advice for a file without a state dict; names the first object in it that was not constructed."""
    parts = {"it": content, **content} if isinstance(content, dict) else {"it": content}
    for place, value in parts.items():
        if name := inert_pickle.origin(value):
            return (
                f"{safe_repr(place)} calls for {name}, which reading it would have to execute, so it was skipped; "
                "give a file of the state dict alone (torch.save(model.state_dict(), ...))"
            )
    return "give a file that does"
