"""Pickles of dicts, lists, strings, numbers and arrays, of any protocol, read as data: nothing in them is run.

A pickle is a program that names functions of any module and has them called. Here it can name a few, those
that arrays, NumPy's numbers, ordered dicts and bytes are written with; each stands for an inert object below, never for
the real one. Any other name is refused. The published CIFAR files are pickles of this plain kind, and VGGFace2's weights.
"""

import io
from pathlib import Path
from typing import IO, Any

import numpy as np

from cellar.data.safe_pickle.bounded_pickle import BoundedUnpickler
from cellar.data.safe_pickle.inert_pickle import PlainDict
from cellar.errors import CellarError, printable, reason

MAX_BYTES = 2**30  # of a file, looked at before anything is read
ITEM_TYPES = {"u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}  # no objects: they would need names again


class PlainArray:
    """An array as its file describes it; `build` makes it one, once all is known to fit."""

    __slots__ = ("state",)

    def __init__(self, state: Any = None) -> None:
        self.state: Any = state

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def build(self) -> np.ndarray:
        """Raises ValueError or TypeError when shape, type and bytes do not belong together."""
        _, shape, item, by_columns, content = self.state
        content = content.encode("latin1") if isinstance(content, str) else content  # Python 2's bytes
        if not isinstance(item, PlainType) or not isinstance(content, bytes):
            raise ValueError("an array of something else than numbers")
        flat = np.frombuffer(content, dtype=item.build())
        if any(side < 0 for side in shape):
            raise ValueError("an array with a side below 0")
        return flat.reshape(shape, order="F" if by_columns else "C")


class PlainType:
    """A number type as its file describes it: name and byte order."""

    __slots__ = ("name", "order")

    def __init__(self, name: Any) -> None:
        self.name, self.order = name, "|"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]  # checked when it is used, as the name is

    def build(self) -> np.dtype[Any]:
        plain = type(self.name) is str and type(self.order) is str  # to hash another can take for ever
        if not plain or self.name not in ITEM_TYPES or self.order not in {"|", "<", ">"}:
            raise ValueError("an array of something else than numbers")
        kind: np.dtype[Any] = np.dtype(self.name).newbyteorder(self.order)
        return kind


class Inert:
    """In place of what a file names. Its instances take no attribute, so a file cannot change them."""

    __slots__ = ()


class Reconstruct(Inert):
    def __call__(self, *_: Any) -> PlainArray:
        return PlainArray()


class FromBuffer(Inert):
    """An array of protocol 5, its bytes within the pickle."""

    def __call__(self, content: Any, item: Any, shape: Any, order: Any, *_: Any) -> PlainArray:
        if order not in ("C", "F"):
            raise ValueError("an array that lies neither by rows nor by columns")
        return PlainArray((1, shape, item, order == "F", content))


class Number(Inert):
    """A number of NumPy's, such as np.float64: an array without sides."""

    def __call__(self, item: Any, content: Any) -> PlainArray:
        return PlainArray((1, (), item, False, content))


class TypeOf(Inert):
    def __call__(self, name: Any, *_: Any) -> PlainType:
        return PlainType(name)


class Encode(Inert):
    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ValueError("bytes in another encoding than latin1")
        return text.encode("latin1")


class NoBytes(Inert):
    def __call__(self) -> bytes:
        return b""


NAMES: dict[tuple[str, str], Inert] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Reconstruct() for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): Number() for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): FromBuffer() for core in ("core", "_core")},
    ("numpy", "ndarray"): Inert(),
    ("numpy", "dtype"): TypeOf(),
    ("_codecs", "encode"): Encode(),  # how Python 3 writes bytes for Python 2
    ("__builtin__", "bytes"): NoBytes(),  # and how it writes none
}


class PlainUnpickler(BoundedUnpickler):
    """Of names only those above, and OrderedDict; `path` serves the messages."""

    fillable = (PlainArray, PlainType, PlainDict)

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, encoding="latin1")
        self.path = path
        # Pairs that OrderedDicts may be made of, as many as bytes: a file can have one copied for ever.
        self.left = file.seek(0, io.SEEK_END)
        file.seek(0)

    def find_class(self, module: str, name: str) -> Any:
        """The only way from a name to an object; pickle's own, which imports, is never called."""
        if (module, name) == ("collections", "OrderedDict"):
            return self.ordered
        if module.partition(".")[0] == "torch":
            raise CellarError(
                f"{self.path} is a pickle with tensors of PyTorch, not a file of torch.save; load it where it was made, and "
                "save the state dict with torch.save"
            )
        if (module, name) not in NAMES:
            raise CellarError(
                f"{self.path} names {printable(f'{module}.{name}')}, code that a plain data file has no use for; "
                "nothing of it was run: get the published file"
            )
        return NAMES[module, name]

    def ordered(self, pairs: Any = ()) -> PlainDict:
        """An OrderedDict, of the list of its pairs in Python 2's form; Python 3's is filled afterwards."""
        self.left -= len(pairs)
        if self.left < 0:
            raise ValueError("it copies its parts without end")
        return PlainDict(pairs)


def read_plain(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """What `path` holds: dicts, lists, str, bytes, numbers; arrays as PlainArray. Python 2's str comes as str.

    Raises CellarError when the file is missing, too large, broken, or names anything else.
    """
    check_file(path, max_bytes)
    try:
        with path.open("rb") as file:
            return load_plain(file, path)
    except OSError as error:
        raise CellarError(f"{path} cannot be read ({error.strerror}); mend its permissions") from None


def load_plain(file: IO[bytes], path: Path) -> Any:
    """What `file` holds, see `read_plain`; `path` serves the messages."""
    try:
        return PlainUnpickler(file, path).load()
    except (CellarError, OSError):
        raise
    except Exception as error:  # a broken pickle can raise nearly anything
        why = reason(error)
        raise CellarError(f"{path} is not a whole pickle ({why}); get the published file again") from None


def check_file(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raises CellarError unless `path` is a file of at most `max_bytes`."""
    if not path.is_file():
        raise CellarError(f"{path} does not exist, or is no file; get the published one, see data/README.md")
    size = path.stat().st_size
    if size > max_bytes:
        raise CellarError(
            f"{path} has {size:,} bytes, and {max_bytes:,} is more than any of these files; get the published one"
        )
