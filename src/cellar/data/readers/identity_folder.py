"""A folder a person, as Pins Face Recognition is published: 105_classes_pins_dataset/pins_<name>/*.jpg.

It comes without splits. Some images of each person train, some validate, all others test (Pins study, section 4: 32 of
each train; its code leaves no image for validation): by a seed, the name of the person and the names of its files.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from cellar.data.class_names import exactly, folded
from cellar.data.images import SUFFIXES, read_each, visible
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.data.readers.image_folder import check_loose, check_suffix
from cellar.data.readers.root import check_unpacked, find_root
from cellar.data.splits import split_order
from cellar.errors import CellarError
from cellar.seeding import derive

PINS = "105_classes_pins_dataset"
PREFIX = "pins_"
SHOWN = 3  # persons that a message names


def load(
    path: Path,
    size: int,
    train_per_class: int,
    validation_per_class: int = 0,
    split_seed: int = 0,
    min_per_class: int | None = None,
) -> ImageSet:
    """Images uint8 (N, size, size, 3), resized whole; rows ordered by split, person and file.

    `path` is the folder of the persons' folders, or the one around it. Classes are the folders' names without
    `pins_`, sorted; persons with fewer than `min_per_class` images are left out. Raises CellarError for
    whatever is not a whole image, and for persons with too few of them.
    """
    root = find_persons(path)
    found, remarks = list_images(root, train_per_class + validation_per_class + 1, min_per_class)
    classes = tuple(found)
    files = [file for name in classes for file in found[name]]
    labels = np.repeat(np.arange(len(classes)), [len(found[name]) for name in classes])
    split = np.concatenate(
        [deal(name, len(found[name]), train_per_class, validation_per_class, split_seed) for name in classes]
    )
    order = split_order(split)
    images, sources = read_resized(root, [files[row] for row in order], size)
    return ImageSet(
        images, labels[order], split[order], classes, sources, tuple(files[row].name for row in order), remarks
    )


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
        other = seen.setdefault(folded(identity(folder)), folder)
        if other != folder:
            names = f"{exactly(other.name)} and {exactly(folder.name)}"
            raise CellarError(f"{root}: {names} are folders of one person; make them one")
    if len(seen) < 2:
        raise CellarError(f"{root} has {len(seen)} folders of persons; at least 2 are needed, see data/README.md")
    return {identity(folder): folder for folder in sorted(seen.values(), key=identity)}


def identity(folder: Path) -> str:
    return folder.name.removeprefix(PREFIX) or folder.name


def list_images(
    root: Path, least: int, min_per_class: int | None = None
) -> tuple[dict[str, list[Path]], tuple[str, ...]]:
    """Name -> files of each person with at least `least` images (or `min_per_class`), both sorted; and who was left out.

    Raises CellarError for a file that is no image by its name; without `min_per_class` for persons with too few, else
    where fewer than two are left.
    """
    check_loose(root)
    found = {name: [check_suffix(file) for file in visible(folder)] for name, folder in identities(root).items()}
    least = max(least, min_per_class or 0)
    few = {name: len(files) for name, files in found.items() if len(files) < least}
    if not few:
        return found, ()
    if min_per_class is None:
        do = f"add images, or set min_per_class: {least} in params.yaml to leave them out"
        raise CellarError(f"{root}: {too_few(few, len(found), least)}; {do}")
    if len(found) - len(few) < 2:
        raise CellarError(f"{root}: {too_few(few, len(found), least)}, so fewer than two are left; lower min_per_class")
    kept = {name: files for name, files in found.items() if name not in few}
    return kept, (f"{too_few(few, len(found), least)}: left out",)


def too_few(few: dict[str, int], persons: int, least: int) -> str:
    """Who has too few images, in words: how many of them, and the first by name."""
    first = ", ".join(f"{name} {count}" for name, count in list(few.items())[:SHOWN])
    more = ", …" if len(few) > SHOWN else ""
    return f"{len(few)} of {persons} persons {'has' if len(few) == 1 else 'have'} fewer than {least} images ({first}{more})"


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

    def keep(row: int, image: Image.Image) -> None:
        images[row] = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))

    return images, read_each(root, files, "RGB", keep)
