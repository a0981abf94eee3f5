"""How many rows the tensors of a weights file have, without torch and without reading a tensor: for `cellar doctor`."""

import json
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

from cellar.data.safe_pickle.inert_pickle import InertUnpickler, PlainDict

MOST_HEADER = 1 << 26  # bytes of a header or pickle that are read
LEGACY_HEADERS = 3  # pickles before the content, in the format before torch 1.6


def row_counts(path: Path) -> set[int]:
    """The first dimensions of all tensors; empty where the file does not tell (importing it says why)."""
    try:
        with path.open("rb") as file:
            return in_safetensors(file) if path.suffix == ".safetensors" else in_torch_file(file)
    except Exception:  # the readers' errors for broken files have no common type
        return set()


def in_safetensors(file: IO[bytes]) -> set[int]:
    length = min(int.from_bytes(file.read(8), "little"), MOST_HEADER)
    header = json.loads(file.read(length))
    return {entry["shape"][0] for name, entry in header.items() if name != "__metadata__" and entry["shape"]}


def in_torch_file(file: IO[bytes]) -> set[int]:
    rows: set[int] = set()
    if not zipfile.is_zipfile(file):
        file.seek(0)
        for _ in range(LEGACY_HEADERS):
            InertUnpickler(file, {}).load()
        ShapeUnpickler(file, rows).load()
        return rows
    with zipfile.ZipFile(file) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        if archive.getinfo(name).file_size > MOST_HEADER:
            raise pickle.UnpicklingError("its pickle is too large")
        with archive.open(name) as pickled:
            ShapeUnpickler(pickled, rows).load()
    return rows


class ShapeUnpickler(InertUnpickler):
    """Notes the first dimension of each tensor in `rows` instead of making it."""

    def __init__(self, file: IO[bytes], rows: set[int]) -> None:
        def note(storage: Any, start: Any, size: Any, *rest: Any) -> None:
            if isinstance(size, tuple) and size and type(size[0]) is int:
                rows.add(size[0])

        made = {("torch._utils", name): note for name in ("_rebuild_tensor", "_rebuild_tensor_v2")}
        super().__init__(file, {("collections", "OrderedDict"): PlainDict, **made})

    def persistent_load(self, pid: Any) -> None:
        """A storage, which is not needed."""
