"""Many images of one size, kept as shards: .npy files of uint8 (n, H, W, 3), each with its hash in index.json.

A shard is written whole or not at all, and the index after it, so a run that is killed loses one shard at most.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cellar import files
from cellar.errors import CellarError, reason

INDEX = "index.json"
SHARD = 1024  # images
Entry = dict[str, Any]  # of a shard in the index: file, first number, how many images, their origin, sha256
Make = Callable[[range], Iterator[np.ndarray]]  # numbers of images -> those images, in parts uint8 (n, H, W, 3)


def write(
    folder: Path,
    identity: dict[str, Any],
    numbers: range,
    size: int,
    make: Make,
    *,
    origin: Callable[[range], str] = str,
    shard: int = SHARD,
) -> None:
    """Make the images `numbers`, `size` x `size`, in shards of `shard`; those that are there, whole, stay as they are.

    `identity`: all that an image depends on beside its number, plain values; `origin`: what a shard's images come
    from, in a word (a hash of their files). Raises CellarError when `folder` holds other images, and passes on what
    `make` raises; the shards made until then are kept.
    """
    described = {"identity": json.loads(json.dumps(identity)), "size": size, "first": numbers.start}
    known = known_shards(folder, described)
    wanted = []
    for part in (numbers[start : start + shard] for start in range(0, len(numbers), shard)):
        name = f"{part.start:09d}.npy"
        entry = {"file": name, "first": part.start, "images": len(part), "origin": origin(part)}
        if not is_kept(folder, entry, known.get(name)):
            write_shard(folder / name, part, size, make)
            known[name] = {**entry, "sha256": files.hash_file(folder / name)}
            write_index(folder, described, known)
        wanted.append(name)
    write_index(folder, described, {name: known[name] for name in wanted})


def is_kept(folder: Path, entry: Entry, found: Entry | None) -> bool:
    """Whether the shard is there as the index, which says `found` of it, has it: no byte changed, none missing."""
    if found is None or {**found, **entry} != found or not (folder / entry["file"]).is_file():
        return False
    return files.hash_file(folder / entry["file"]) == found.get("sha256")


def write_index(folder: Path, described: dict[str, Any], shards: dict[str, Entry]) -> None:
    entries = sorted(shards.values(), key=lambda entry: entry["first"])
    files.write_json(folder / INDEX, {**described, "shards": entries})


def known_shards(folder: Path, described: dict[str, Any]) -> dict[str, Entry]:
    """The index's shards by file; none when there is no index. Raises CellarError when it tells of other images."""
    if not (folder / INDEX).exists():
        return {}
    index = read_index(folder)
    for key, value in described.items():
        if index[key] != value:
            raise CellarError(f"{folder} holds other images (another {key}); give another folder, or remove this one")
    return {entry["file"]: entry for entry in index["shards"]}


def read_index(folder: Path) -> dict[str, Any]:
    index: dict[str, Any] = files.read_json(folder / INDEX)
    if not is_index(index):
        raise CellarError(f"{folder / INDEX} is no index of images; remove {folder} and make it again")
    return index


def is_index(index: Any) -> bool:
    if not isinstance(index, dict) or set(index) != {"identity", "size", "first", "shards"}:
        return False
    numbers, entries = (index["size"], index["first"]), index["shards"]
    return all(map(is_count, numbers)) and isinstance(entries, list) and all(map(is_entry, entries))


def is_entry(entry: Any) -> bool:
    """A shard as write() notes it, its file one of the folder."""
    if not isinstance(entry, dict) or not is_count(entry.get("first")) or not is_count(entry.get("images")):
        return False
    return entry.get("file") == f"{entry['first']:09d}.npy"


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**40


def write_shard(path: Path, part: range, size: int, make: Make) -> None:
    """Written as the images come: memory holds a part of them, and a disk that fills up is an error, not a crash."""
    shape = (len(part), size, size, 3)
    with files.atomic(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for images in make(part):
            file.write(np.ascontiguousarray(images, np.uint8).data)
    map_shard(path, shape)


class Faces:
    """The images of a folder as one array uint8 (N, H, W, 3), read from the disk as they are asked for.

    Indexed by a number, a slice or numbers in any order, it gives a copy in memory of just those.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, shards: list[np.ndarray], count: int) -> None:
        self.shards = shards
        self.starts = np.cumsum([0, *(len(shard) for shard in shards)])
        self.shape: tuple[int, ...] = (count, *shards[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray | list[int]) -> np.ndarray:
        numbers = np.arange(len(self))[index]
        wanted = np.atleast_1d(numbers)
        images = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        shard_of = np.searchsorted(self.starts, wanted, "right") - 1
        for number in np.unique(shard_of):
            inside = shard_of == number
            images[inside] = self.shards[number][wanted[inside] - self.starts[number]]
        return images if np.ndim(numbers) else images[0]


def open_faces(folder: Path, count: int | None = None) -> Faces:
    """The images of `folder`, or the first `count` of them, memory-mapped.

    Raises CellarError when there are fewer, or a shard is missing or cut short.
    """
    index = read_index(folder)
    side, number, shards = index["size"], index["first"], []
    for entry in index["shards"]:
        if entry["first"] != number:
            break  # a run that was killed has left a gap
        shards.append(map_shard(folder / entry["file"], (entry["images"], side, side, 3)))
        number += entry["images"]
    found = number - index["first"]
    if found < max(count or 1, 1):
        raise CellarError(f"{folder} holds {found} images, not {count or 1}; make the rest, or ask for fewer")
    return Faces(shards, found if count is None else count)


def map_shard(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Raises CellarError unless `path` holds uint8 of that shape."""
    try:
        shard = np.lib.format.open_memmap(path, mode="r")
        fits = shard.shape == shape and shard.dtype == np.uint8
        problem = "" if fits else f"{shard.dtype} {shard.shape}, not {shape}"
    except Exception as error:  # a header is read as Python's own literals, and fails in many ways
        problem = reason(error)
    if problem:
        raise CellarError(f"{path} is not whole ({problem}); make it again with the stage that makes its folder")
    return shard
