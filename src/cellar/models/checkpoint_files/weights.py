"""Weights on disk: safetensors for our own; published checkpoints read without executing what they hold."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from cellar import files
from cellar.errors import CellarError, printable, reason, safe_repr
from cellar.models.checkpoint_files import torch_file
from cellar.models.heads import heads
from cellar.safe_pickle import inert_pickle
from cellar.safe_pickle.plain_pickle import PlainArray, read_plain

WRAPPERS = ("model_state_dict", "state_dict", "model")  # keys under which published files keep the weights
MOST_BYTES = 4 << 30
TORCH_STARTS = (b"PK\x03\x04", pickle.dumps(torch_file.MAGIC, 2))  # of torch.save's files, whatever their name
COUNTER = "num_batches_tracked"  # of a batch norm; published files are older than it, and nothing here needs it


def save(state: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a state dict as safetensors. Same values, same bytes: layout and device leave no trace."""
    plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with files.atomic(path) as temporary:
        temporary.touch()  # with the mode of any file; safetensors alone would make one that others cannot read
        mode = temporary.stat().st_mode
        try:
            safetensors.torch.save_file(plain, temporary, metadata)  # from the tensors as they are: no copy in memory
        except safetensors.SafetensorError as error:
            raise OSError(str(error)) from error
        temporary.chmod(mode)


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a .safetensors file or a published checkpoint (a bare state dict, or one under 'model_state_dict',
    'state_dict' or 'model'; a .pkl of arrays by name) into `model`; other files and other models leave it as
    it was. What else a checkpoint holds (optimizer, options) is skipped: nothing of a file is executed.

    Raises CellarError when the file is missing, broken, holds no tensors by name, or another model's.
    """
    state = read_state(path)
    problem = mismatch(model.state_dict(), state)
    if problem:
        raise CellarError(
            f"{path} holds the weights of another model: {problem}; "
            "give the file of this one, or name that model in params.yaml"
        )
    model.load_state_dict(state, strict=False)  # all names but the counters are known to agree


def load_trunk(model: nn.Module, path: Path) -> tuple[str, ...]:
    """Load all of a weights file but the last layers, which depend on the classes. Returns the layers that stay as
    they are: those, and the connector where the file is of the network that is the model's trunk.

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
    """The tensors of a weights file by name, on the CPU."""
    if not path.is_file():
        raise CellarError(f"{path} is not here; put the weights file there, or mend the path in params.yaml")
    if path.stat().st_size > MOST_BYTES:
        raise CellarError(f"{path} is larger than {MOST_BYTES >> 30} GiB: no weights of these studies; mend the path")
    try:
        content = read_content(path)
    except CellarError:
        raise
    except Exception as error:  # what a broken file does to the readers has no common type
        why = reason(error)
        raise CellarError(f"{path} is broken or no weights file ({why}); get it again") from None
    return unwrap(content, path)


def read_content(path: Path) -> Any:
    """What a file holds, by the reader that its name and first bytes ask for."""
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path)
    with path.open("rb") as file:
        start = file.read(max(map(len, TORCH_STARTS)))
    if path.suffix == ".pkl" and not start.startswith(TORCH_STARTS):
        return read_arrays(path)
    return torch_file.read(path)


def read_arrays(path: Path) -> Any:
    """A plain pickle of NumPy arrays by name, as VGGFace2's weights are published; the arrays become tensors."""
    content = read_plain(path, MOST_BYTES)
    if not isinstance(content, dict):
        return content
    return {name: tensor(value) if isinstance(value, PlainArray) else value for name, value in content.items()}


def tensor(described: PlainArray) -> Tensor:
    """A copy of its own, in this machine's byte order."""
    array = described.build()
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), order="C"))


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
                f"{safe_repr(place)} calls for {name}, which reading it would have to execute, so it was skipped; "
                "give a file of the state dict alone (torch.save(model.state_dict(), ...))"
            )
    return "give a file that does"


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """What is wrong with `found`, in words; "" when every name and shape agrees, counters of batches apart."""
    missing = [name for name in expected if name not in found and not name.endswith(COUNTER)]
    surplus = [name for name in found if name not in expected]
    reshaped = [name for name in expected if name in found and expected[name].shape != found[name].shape]
    if missing:
        return f"{missing[0]} is missing ({len(missing)} missing, {len(surplus)} too many)"
    if surplus:
        return f"{printable(surplus[0])} does not belong ({len(surplus)} too many)"
    if reshaped:
        name, total = reshaped[0], len(reshaped)
        return f"{name} is {tuple(found[name].shape)}, not {tuple(expected[name].shape)} ({total} shapes differ)"
    return ""
