"""CIFAR-100 as its authors publish it for Python: the pickles train, test and meta (Krizhevsky 2009), also packed.

A batch holds data, uint8 (N, 3072), the red, green and blue 32x32 plane of each image one after the other;
fine_labels 0..99 and coarse_labels 0..19, positions in the names of meta; filenames; batch_label. There is
no validation split: a stratified part of train is held out.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cellar.data.foreign import check_is_data
from cellar.data.images import visible
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import hub
from cellar.data.readers.packed import read_members
from cellar.data.readers.root import check_unpacked, command_for, search
from cellar.data.safe_pickle.plain_pickle import PlainArray, check_file, load_plain, read_plain
from cellar.data.splits import check_classes, hold_out, split_order
from cellar.errors import CellarError, printable, safe_repr
from cellar.files import hash_file

FOLDER = "cifar-100-python"
FILES = ("train", "test", "meta")
MOST_PACKED = 400 * 2**20  # bytes of a file in an archive; the largest published has 155 MB
SIDE = 32
FINE, COARSE = 100, 20
META_KEYS = {"fine_label_names": FINE, "coarse_label_names": COARSE}
BATCH_KEYS = {"data", "fine_labels", "coarse_labels", "filenames", "batch_label"}


def load(path: Path, checksums: str = "official", validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Images uint8 (N, 32, 32, 3), labels the fine ones; rows ordered by split, then as in the files.

    `path` is cifar-100-python, its archive, a folder of parquet files, or one or two folders around them. `checksums`:
    "official" takes the published files only, "any" others of the same structure too. Raises CellarError for anything else.
    """
    place = locate(path)
    if hub.is_hub(place):
        check_unpublished(place, checksums)
        return hub.load_cifar100(place, validation_fraction, split_seed)
    contents = unpacked(place) if place.is_file() else dict.fromkeys(FILES)
    for name in FILES if place.is_dir() else ():
        check_file(place / name)
        check_is_data(place / name)
    if checksums == "official":
        check_published(place, contents)
    classes = read_classes(place / "meta", contents["meta"])
    train, train_labels = read_batch(place / "train", contents["train"])
    test, test_labels = read_batch(place / "test", contents["test"])
    labels = np.concatenate([train_labels, test_labels])
    split = np.repeat(np.array(["train", "test"], dtype="U10"), [len(train), len(test)])
    check_classes(place, labels, split, classes, required=("train", "test"))
    split = hold_out(place, labels, split, classes, validation_fraction, split_seed)
    order = split_order(split)
    images = unroll(np.concatenate([train, test])[order])
    return ImageSet(images, labels[order], split[order], classes, hashes(path, place))


def locate(path: Path) -> Path:
    """The folder of the pickles or of parquet files, or the archive or parquet file."""
    if path.is_file() and (command_for(path) or hub.is_hub(path)):
        return path
    if not path.is_dir():
        raise CellarError(f"{path} does not exist, or is no folder; put {FOLDER} there, see data/README.md")
    root = search(path, begins)
    packed = None if root else search(path, lambda folder: find_packed(folder) is not None)
    if packed:
        return find_packed(packed) or packed
    if root is None:
        check_unpacked(path)
    return root or path


def begins(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES) or hub.is_hub(folder)


def find_packed(folder: Path) -> Path | None:
    """The archive of CIFAR-100 for Python in `folder`, first by its published name."""
    found = [file for file in visible(folder) if command_for(file) and file.name.startswith("cifar-100")]
    return min(found, key=lambda file: (not file.name.startswith(FOLDER), file.name), default=None)


def unpacked(archive: Path) -> dict[str, bytes | None]:
    """Name -> content of the three files in an archive. Raises CellarError when it holds others."""
    found = read_members(archive, FILES, MOST_PACKED)
    missing = [name for name in FILES if name not in found]
    if missing:
        raise CellarError(f"{archive} holds no file {' or '.join(missing)}; get {FOLDER}.tar.gz, CIFAR-100 for Python")
    return {name: found[name] for name in FILES}


def hashes(path: Path, place: Path) -> dict[str, str]:
    if place.is_file():
        return {place.name: hash_file(place)}
    return {(place / name).relative_to(path).as_posix(): hash_file(place / name) for name in FILES}


def check_unpublished(place: Path, checksums: str) -> None:
    if checksums == "official":
        raise CellarError(f"{place}: no checksum of parquet files is published; say checksums: any in params.yaml")


def published_checksums() -> dict[str, str]:
    """The md5 of each file, as torchvision knows them."""
    from torchvision.datasets import CIFAR100  # seconds to import

    return dict([*CIFAR100.train_list, *CIFAR100.test_list, (CIFAR100.meta["filename"], CIFAR100.meta["md5"])])


def check_published(folder: Path, contents: Mapping[str, bytes | None]) -> None:
    published = published_checksums()
    for name, content in contents.items():
        found = hash_file(folder / name, "md5") if content is None else hashlib.md5(content).hexdigest()
        if found != published[name]:
            raise CellarError(
                f"{folder / name} has md5 {found}, the published one {published[name]}; "
                "get the published file, or say checksums: any in params.yaml"
            )


def read_dict(path: Path, wanted: set[str], data: bytes | None = None) -> dict[str, Any]:
    """The dict in a pickle, by text keys, whichever Python wrote them. Raises CellarError for other keys.

    `data`: the pickle itself where `path` is inside an archive, and serves the messages only.
    """
    content = read_plain(path) if data is None else load_plain(io.BytesIO(data), path)
    if not isinstance(content, dict):
        raise CellarError(f"{path} is not CIFAR-100's: it holds no dict; get the published file")
    named = {safe_repr(key): value for key, value in content.items()}
    if set(named) != wanted:
        found = ", ".join(sorted(named))
        whose = "CIFAR-10's file" if {"labels", "label_names"} & set(named) else "not CIFAR-100's"
        raise CellarError(
            f"{path} is {whose}: its keys are {found:.120}, not {', '.join(sorted(wanted))}; put CIFAR-100's there"
        )
    return named


def read_classes(path: Path, data: bytes | None = None) -> tuple[str, ...]:
    """The names of the fine labels, in the order of their numbers."""
    meta = read_dict(path, set(META_KEYS), data)
    for key, count in META_KEYS.items():
        names = meta[key]
        names = [name for name in names if isinstance(name, bytes | str)] if isinstance(names, list) else []
        distinct = len({safe_repr(name) for name in names})
        if distinct != count or len(meta[key]) != count:
            raise CellarError(f"{path}: {key} holds {distinct} names, expected {count}; get the published file")
    return tuple(safe_repr(name) for name in meta["fine_label_names"])


def read_batch(path: Path, content: bytes | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(data uint8 (N, 3072), fine labels int64 (N,)). Raises CellarError unless all belongs together."""
    batch = read_dict(path, BATCH_KEYS, content)
    data = read_data(path, batch["data"])
    for key in ("fine_labels", "coarse_labels", "filenames"):
        entries = batch[key]
        if not isinstance(entries, list) or len(entries) != len(data):
            count = len(entries) if isinstance(entries, list) else "no"
            raise CellarError(f"{path}: {count} {key} for {len(data)} images; get the published file")
    check_labels(path, "coarse_labels", batch["coarse_labels"], COARSE)
    check_labels(path, "fine_labels", batch["fine_labels"], FINE)
    return data, np.array(batch["fine_labels"], dtype=np.int64)


def read_data(path: Path, value: Any) -> np.ndarray:
    try:
        data = value.build() if isinstance(value, PlainArray) else None
    except (ValueError, TypeError) as error:
        raise CellarError(f"{path}: data is broken ({printable(str(error))}); get the published file") from None
    width = 3 * SIDE**2
    if data is None or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != width:
        found = "no array" if data is None else f"{data.dtype} {data.shape}"
        raise CellarError(f"{path}: data is {found}, expected uint8 (N, {width}); get the published file")
    return data


def check_labels(path: Path, key: str, labels: list[Any], count: int) -> None:
    for row, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < count:
            raise CellarError(
                f"{path}: {key}, entry {row} is {safe_repr(label)!r}, expected 0 to {count - 1}; get the published file"
            )


def unroll(data: np.ndarray) -> np.ndarray:
    """Planes (N, 3072) to images (N, 32, 32, 3)."""
    return np.ascontiguousarray(data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))
