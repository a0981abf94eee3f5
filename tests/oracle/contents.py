"""Contents of result files as flat values, and the differences between two files."""

import csv
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from renames import Values

ABSENT = "(absent)"


class Difference(NamedTuple):
    key: str
    old: Any
    new: Any


def md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def read_values(path: Path) -> Values:
    """The values of a JSON or CSV file by flat key. Raises ValueError for two values with one key."""
    pairs = csv_values(path) if path.suffix == ".csv" else flatten(json.loads(path.read_text(encoding="utf-8")))
    values: Values = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"{path}: two values have the key {key}")
        values[key] = value
    return values


def flatten(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Items of a list are named by their `id` if all have one (their order is a value too), else numbered."""
    if not isinstance(value, dict | list) or not value:
        yield key, value
        return
    if isinstance(value, list):
        names = [item.get("id") if isinstance(item, dict) else None for item in value]
        if all(isinstance(name, str) for name in names):
            yield from flatten(names, f"{key}/#order")
        else:
            names = [str(number) for number in range(len(value))]
        value = dict(zip(names, value, strict=True))
    for name, item in value.items():
        yield from flatten(item, f"{key}/{name}" if key else name)


def csv_values(path: Path) -> Iterator[tuple[str, Any]]:
    """column/row -> number, text or None; column/#column tells that there is such a column, even without rows."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        yield from ((f"{column}/#column", "column") for column in rows.fieldnames or ())
        for number, row in enumerate(rows, start=1):
            yield from ((f"{column}/{number}", parsed(cell)) for column, cell in row.items())


def mean_losses(history: Path) -> Values:
    """A column for a history: the mean of each epoch's steps in the losses.npz beside it."""
    path = history.with_name("losses.npz")
    steps = arrays_of(path).get("loss", np.empty(0)) if path.exists() else np.empty(0)
    epochs = len(history.read_text(encoding="utf-8").splitlines()) - 1
    if epochs < 1 or len(steps) == 0 or len(steps) % epochs:
        return {}
    means = steps.reshape(epochs, -1).mean(axis=1, dtype=np.float64)
    return {f"{path.name}/{number}": float(mean) for number, mean in enumerate(means, start=1)}


def parsed(cell: str | None) -> str | float | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def are_equal(old: Any, new: Any) -> bool:
    """Equal by value: 1 and 1.0 are, 1 and true are not, NaN equals NaN."""
    if isinstance(old, bool) != isinstance(new, bool):
        return False
    both_nan = all(isinstance(value, float) and math.isnan(value) for value in (old, new))
    return both_nan or bool(old == new)


def value_differences(old: Values, new: Values) -> list[Difference]:
    keys = [*old, *(key for key in new if key not in old)]
    pairs = [Difference(key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys]
    return [pair for pair in pairs if not are_equal(pair.old, pair.new)]


def byte_differences(old: Path, new: Path) -> list[Difference]:
    """The two md5, if they differ, and which arrays of the files do."""
    digests = Difference("md5", md5(old), md5(new))
    return [] if digests.old == digests.new else [digests, *array_differences(old, new)]


def array_differences(old: Path, new: Path) -> Iterator[Difference]:
    """For each differing array of .npz, .npy and .safetensors files, its first differing element."""
    try:
        sides = [arrays_of(path) for path in (old, new)]
    except (ValueError, OSError, KeyError) as error:
        yield Difference("arrays", "cannot be read", str(error))
        return
    for name in sorted(sides[0].keys() | sides[1].keys()):
        first, second = (side.get(name) for side in sides)
        if first is None or second is None or (first.dtype, first.shape) != (second.dtype, second.shape):
            yield Difference(name, described(first), described(second))
        elif first.tobytes() != second.tobytes():
            raw = [np.frombuffer(array.tobytes(), np.uint8).reshape(array.size, -1) for array in (first, second)]
            places = np.flatnonzero((raw[0] != raw[1]).any(axis=1))
            where = f"{name}[{places[0]}] ({len(places)} of {first.size} elements differ)"
            yield Difference(where, first.flat[places[0]].item(), second.flat[places[0]].item())


def described(array: NDArray[Any] | None) -> str:
    return ABSENT if array is None else f"{array.dtype}{list(array.shape)}"


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays by name; none for other kinds of files."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    if path.suffix == ".npy":
        return {"array": np.load(path, allow_pickle=False)}
    return dict(tensors_of(path)) if path.suffix == ".safetensors" else {}


def tensors_of(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Format: 8 bytes length of the header, header in JSON, data. Types that NumPy lacks are read as bytes."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            kind = {"F32": np.float32, "F64": np.float64, "I64": np.int64}.get(entry["dtype"], np.uint8)
            yield name, np.frombuffer(content[start + first : start + last], kind)


def pixel_differences(old: Path, new: Path) -> list[Difference]:
    """Of two images: their sizes, or the number of differing pixels. Equal bytes are not read as images."""
    if md5(old) == md5(new):
        return []
    with Image.open(old) as first, Image.open(new) as second:
        sizes = Difference("size", first.size, second.size)
        if sizes.old != sizes.new:
            return [sizes]
        pixels = [np.asarray(image.convert("RGBA")) for image in (first, second)]
    differing = int((pixels[0] != pixels[1]).any(axis=2).sum())
    return [Difference("pixels", "equal", f"{differing} differ")] if differing else []
