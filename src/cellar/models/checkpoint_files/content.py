"""What a weights file holds, by the reader that its first bytes ask for, whatever the file is called; nothing is executed."""

import zipfile
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from cellar.data.safe_pickle.plain_pickle import PlainArray, read_plain
from cellar.errors import CellarError, reason
from cellar.models.checkpoint_files import torch_file
from cellar.models.checkpoint_files.kinds import foreign

MOST_BYTES = 4 << 30
LENGTH = 8  # bytes of the number that safetensors begin with, the length of their header
ZIP, PICKLE = b"PK\x03\x04", b"\x80"


def read(path: Path, numbers: bool = True) -> Any:
    """The content of a file: of safetensors the tensors by name, of others whatever objects were saved.

    Without `numbers` the tensors are on the meta device: names, shapes and types alone are read, of a plain pickle all.
    Raises CellarError when the file is missing, too large, broken, or of a kind that holds no weights.
    """
    check_file(path)
    try:
        return read_kind(path, numbers)
    except CellarError:
        raise
    except PermissionError:
        raise CellarError(f"{path} cannot be read; mend its permissions") from None
    except (EOFError, zipfile.BadZipFile) as error:
        why = reason(error)
        raise CellarError(
            f"{path} is not whole: its download or copy was cut short or spoilt ({why}); get it again"
        ) from None
    except Exception as error:  # the readers' errors for broken files have no common type
        why = reason(error)
        raise CellarError(f"{path} is broken or no weights file ({why}); get it again") from None


def check_file(path: Path) -> None:
    """Raises CellarError for what is seen without reading it all."""
    if path.is_dir():
        raise CellarError(f"{path} is a folder; name the weights file in it")
    if not path.is_file():
        raise CellarError(f"{path} does not exist; put the weights file there, or mend the path in params.yaml")
    if path.stat().st_size > MOST_BYTES:
        raise CellarError(f"{path} is larger than {MOST_BYTES >> 30} GiB: no weights of these studies; mend the path")
    try:
        problem = foreign(path)
    except PermissionError:
        raise CellarError(f"{path} cannot be read; mend its permissions") from None
    if problem:
        raise CellarError(f"{path} {problem}")


def read_kind(path: Path, numbers: bool) -> Any:
    with path.open("rb") as file:
        start = file.read(32)
    if path.suffix == ".safetensors" or is_safetensors(start, path.stat().st_size):
        return safetensors.torch.load_file(path) if numbers else read_header(path)
    if start.startswith(ZIP) or torch_file.START in start:
        return torch_file.read(path, numbers)
    if start.startswith(PICKLE) or path.suffix == ".pkl":
        return read_arrays(path)
    raise ValueError("it does not begin as safetensors, a pickle or a file of torch.save does")


def is_safetensors(start: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins with a header's length and a header."""
    return start[LENGTH : LENGTH + 1] == b"{" and int.from_bytes(start[:LENGTH], "little") < size


def read_header(path: Path) -> dict[str, Tensor]:
    with safetensors.safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: torch.empty(file.get_slice(name).get_shape(), device="meta") for name in names}


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
