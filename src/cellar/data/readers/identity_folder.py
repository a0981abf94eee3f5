"""A folder a person, as Pins Face Recognition is published: 105_classes_pins_dataset/pins_<name>/*.jpg.

It comes without splits. Some images of each person train, some validate, all others test (Pins study, section 4: 32 of
each train; its code leaves no image for validation): by a seed, the name of the person and the names of its files.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from cellar.data.images import SUFFIXES, decode, read, summarise, visible
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.data.readers.image_folder import check_suffix
from cellar.data.readers.root import check_unpacked, find_root
from cellar.data.splits import split_order
from cellar.errors import CellarError
from cellar.seeding import derive

PINS = "105_classes_pins_dataset"
PREFIX = "pins_"


def load(path: Path, size: int, train_per_class: int, validation_per_class: int = 0, split_seed: int = 0) -> ImageSet:
    """Images uint8 (N, size, size, 3), resized whole; rows ordered by split, person and file.

    `path` is the folder of the persons' folders, or the one around it. Classes are the folders' names without
    `pins_`, sorted. Raises CellarError for whatever is not a whole image, and for a person with too few of them.
    """
    root = find_persons(path)
    folders = identities(root)
    classes = tuple(folders)
    found = {name: list_images(folder, train_per_class, validation_per_class) for name, folder in folders.items()}
    files = [file for name in classes for file in found[name]]
    labels = np.repeat(np.arange(len(classes)), [len(found[name]) for name in classes])
    split = np.concatenate(
        [deal(name, len(found[name]), train_per_class, validation_per_class, split_seed) for name in classes]
    )
    order = split_order(split)
    images, sources = read_resized(root, [files[row] for row in order], size)
    return ImageSet(images, labels[order], split[order], classes, sources, tuple(files[row].name for row in order))


def find_persons(path: Path) -> Path:
    """The folder of the persons' folders: `path`, or what is in it as Pins' archive has it, or one or two levels below."""
    if not path.is_dir():
        check_unpacked(path)
        raise CellarError(f"{path} does not exist; put a folder of images a person there, see data/README.md")
    return path / PINS if (path / PINS).is_dir() else find_root(path, holds_persons)


def holds_persons(folder: Path) -> bool:
    """Whether a folder in it holds an image."""
    inside = (entry for inner in visible(folder) if inner.is_dir() for entry in visible(inner))
    return any(entry.suffix.lower() in SUFFIXES and entry.is_file() for entry in inside)


def identities(root: Path) -> dict[str, Path]:
    """Name -> folder, sorted by name. Raises CellarError for a person in two folders, and for fewer than two persons."""
    folders = [entry for entry in visible(root) if entry.is_dir()]
    seen: dict[str, Path] = {}
    for folder in folders:
        other = seen.setdefault(identity(folder).casefold(), folder)
        if other != folder:
            raise CellarError(f"{root}: {other.name} and {folder.name} are folders of one person; make them one")
    if len(seen) < 2:
        raise CellarError(f"{root} has {len(seen)} folders of persons; at least 2 are needed, see data/README.md")
    return {identity(folder): folder for folder in sorted(seen.values(), key=identity)}


def identity(folder: Path) -> str:
    return folder.name.removeprefix(PREFIX) or folder.name


def list_images(folder: Path, train: int, validation: int) -> list[Path]:
    """A person's files by name. Raises CellarError when one is no image by its name, or there are too few."""
    files = [check_suffix(file) for file in visible(folder)]
    if not files:
        raise CellarError(f"{folder} holds no image; add images or take the folder out")
    if len(files) <= train + validation:
        raise CellarError(
            f"{folder} has {len(files)} images; {train + validation + 1} are needed ({train} train, {validation} "
            "validation, 1 test): add images, take the folder out, or change train_per_class in params.yaml"
        )
    return files


def deal(name: str, images: int, train: int, validation: int, seed: int) -> np.ndarray:
    """The split of each of a person's images, in the order of their names: str (images,).

    Nobody else's images matter to it, nor the order in which a disk lists them.
    """
    order = np.random.default_rng(derive(seed, f"split of {name}")).permutation(images)
    split = np.full(images, SPLITS[2], dtype="U10")
    split[order[:train]] = SPLITS[0]
    split[order[train : train + validation]] = SPLITS[1]
    return split


def read_resized(root: Path, files: list[Path], size: int) -> tuple[np.ndarray, dict[str, str]]:
    """Images uint8 (N, size, size, 3) in the order given, and the sources for a manifest.

    Resized as the study's code does (Pillow's default, bicubic), not cropped. Memory holds one file beside the result.
    """
    images = np.empty((len(files), size, size, 3), np.uint8)
    hashes: dict[str, str] = {}
    for row, file in enumerate(files):
        data = read(file)
        images[row] = np.asarray(decode(file, data, "RGB").resize((size, size), Image.Resampling.BICUBIC))
        hashes[file.relative_to(root).as_posix()] = hashlib.sha256(data).hexdigest()
    return images, summarise(hashes)
