"""Files of torch.save, in today's zip format and in that before torch 1.6, read without executing their contents.

Not torch.load: with weights_only it refuses a file that holds any other object besides the weights; without, even with
another unpickler, it runs TorchScript archives, unpacks tars and can be made to write files (a module's "patch").
Only the container layout is implemented here; a tensor is a bounds-checked view of its storage.
"""

import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from cellar.data.safe_pickle.inert_pickle import InertUnpickler, PlainDict
from cellar.errors import CellarError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # the first two pickles of the older format
START = pickle.dumps(MAGIC, 2)[2:-1]  # among the first bytes of the older format, whatever the protocol
STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}
Stored = Callable[[Any, torch.dtype, int], Tensor]  # key, kind and number of elements -> the storage, flat


def read(path: Path, numbers: bool = True) -> Any:
    """The saved object, with tensors on the CPU and OrderedDicts as dicts; other objects are replaced by placeholders.

    Without `numbers` the tensors are on the meta device: the file's storages are not read. Raises CellarError for
    another kind of archive, and ValueError, or whatever the readers raise, for a broken file.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start == b"PK\x03\x04":
            return read_zip(file, path, numbers)
        if start.startswith(b"\x80"):
            return read_legacy(file, path.stat().st_size, numbers)
    raise ValueError("it does not begin as a file of torch.save does")


def read_zip(file: IO[bytes], path: Path, numbers: bool = True) -> Any:
    """<name>/data.pkl, and <name>/data/<key> for each storage."""
    storages: dict[tuple[Any, torch.dtype], Tensor] = {}
    size = path.stat().st_size
    with zipfile.ZipFile(file) as archive:
        check_archive(archive, path)
        name = archive.namelist()[0].partition("/")[0]

        def stored(key: Any, kind: torch.dtype, length: int) -> Tensor:
            if (key, kind) not in storages:
                storages[key, kind] = allot(kind, length, size, numbers)
                with archive.open(f"{name}/data/{key}") as member:
                    if numbers:
                        fill(storages[key, kind], member)
                        if member.read(1):
                            raise ValueError("a storage is longer than its tensors say")
            return storages[key, kind]

        with archive.open(f"{name}/data.pkl") as pickled:
            return TensorUnpickler(pickled, stored).load()


def check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    """Raises CellarError for a zip file of something else, ValueError for one that torch.save did not write."""
    names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        raise CellarError(
            f"{path} is a TorchScript program, which would have to be run; save its weights: "
            "torch.save(torch.jit.load(FILE).state_dict(), ...)"
        )
    if names and all(name.endswith(".npy") for name in names):
        raise CellarError(f"{path} is an .npz of NumPy; give a state dict of PyTorch, or safetensors")
    if not any(name.endswith("/data.pkl") for name in names):
        raise CellarError(f"{path} is a zip archive of other files; unpack it, and give the weights file in it")
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
        raise ValueError("it is compressed, which torch.save's files are not")
    place = f"{names[0].partition('/')[0]}/byteorder"
    if place in names and archive.read(place).decode() != sys.byteorder:
        raise ValueError("its numbers have another machine's byte order")


def read_legacy(file: IO[bytes], size: int, numbers: bool = True) -> Any:
    """Five pickles (magic number, protocol, machine, content, keys), then the storages in the keys' order."""
    storages: dict[Any, Tensor] = {}
    if any(InertUnpickler(file, {}).load() != expected for expected in (MAGIC, PROTOCOL)):
        raise ValueError("it does not begin as a file of torch.save does")
    InertUnpickler(file, {}).load()  # sizes of numbers on the writer's machine; storages are written without regard

    def stored(key: Any, kind: torch.dtype, length: int) -> Tensor:
        if key not in storages:
            storages[key] = allot(kind, length, size, numbers)
        return storages[key] if storages[key].dtype == kind else torch.empty(0, dtype=kind)

    content = TensorUnpickler(file, stored).load()
    if numbers:
        fill_all(storages, file)
    return content


def fill_all(storages: dict[Any, Tensor], file: IO[bytes]) -> None:
    """The last pickle of the older format, and the storages behind it."""
    keys = InertUnpickler(file, {}).load()
    if not all(type(key) is str for key in keys) or set(keys) != set(storages):
        raise ValueError("its storages are not those of its tensors")
    for key in keys:
        if struct.unpack("<q", file.read(8)) != (storages[key].numel(),):
            raise ValueError("a storage is longer or shorter than its tensors say")
        fill(storages[key], file)


def allot(kind: torch.dtype, length: int, most: int, numbers: bool) -> Tensor:
    """Room for a storage, flat; none that the file, of `most` bytes, cannot fill."""
    if type(length) is not int or not 0 <= length * kind.itemsize <= most:
        raise ValueError("a storage is longer than the file")
    return torch.empty(length, dtype=kind, device="cpu" if numbers else "meta")


def fill(storage: Tensor, file: IO[bytes]) -> None:
    room = storage.view(torch.uint8).numpy().data
    if file.readinto(room) != len(room):  # type: ignore[attr-defined]
        raise ValueError("it ends before its tensors do")


class TensorUnpickler(InertUnpickler):
    """Of all names only those that tensors are made with are real; `stored` gives a storage by its key."""

    def __init__(self, file: IO[bytes], stored: Stored) -> None:
        super().__init__(file, ALLOWED)
        self.stored = stored

    def persistent_load(self, pid: Any) -> Any:
        """Of ("storage", kind, key, place, length) and, before torch 1.6, its view (key, start, length) or None."""
        if pid[0] == "module":  # a pickled layer's class, with its source code
            return pid[1]
        _, kind, key, _, length, *view = pid
        if pid[0] != "storage" or not isinstance(kind, torch.dtype) or type(key) is not str:
            raise ValueError("it holds something else than storages of numbers")
        storage = self.stored(key, kind, length)
        return storage[view[0][1] :][: view[0][2]] if view and view[0] else storage


def rebuild_tensor(
    storage: Any, start: int, size: Any, stride: Any, grad: Any = False, hooks: Any = None, metadata: Any = None
) -> Tensor:
    """A view of the storage; torch raises RuntimeError where it would leave it."""
    if not isinstance(storage, Tensor) or metadata:
        raise ValueError("a tensor has no storage, or not its own numbers (a conjugate or negative view)")
    return storage.as_strided(size, stride, storage.storage_offset() + start)


def rebuild_parameter(data: Any, *state: Any) -> Any:
    return data


ALLOWED = {
    ("collections", "OrderedDict"): PlainDict,
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter,
    ("torch.storage", "UntypedStorage"): torch.uint8,  # its length counts bytes
    **{(module, name): kind for module in ("torch", "torch.cuda") for name, kind in STORAGES.items()},
}
