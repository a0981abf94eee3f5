"""Anyone's images: {train,validation,test}/<class>/<any name>.{png,jpg,jpeg,bmp,webp}; validation is also val or valid."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cellar.config.validation_errors import likely
from cellar.data.images import SUFFIXES, decode, read, summarise, visible
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.data.readers import hub
from cellar.data.readers.root import check_unpacked, find_root
from cellar.data.readers.split_folders import is_split, split_folders
from cellar.data.splits import check_classes, hold_out, split_order
from cellar.errors import CellarError


def load(path: Path, size: int | None = None, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Images uint8 (N, H, W) when all are grey, else (N, H, W, 3); rows ordered by split, class and name.

    Classes are the sorted folder names of train. Without validation/, a seeded, stratified part of train is
    held out. `size`: resize every image to size x size; without it all must be of one size.
    """
    path = locate(path)
    classes = class_names(path)
    found = list_all(path, classes)
    split = np.array([split for split, _, _ in found], dtype="U10")
    labels = np.array([label for _, label, _ in found], dtype=np.int64)
    check_classes(path, labels, split, classes, required=("train", "test"))
    if not (split == "validation").any():
        split = hold_out(path, labels, split, classes, validation_fraction, split_seed)
        check_classes(path, labels, split, classes)
    images, sources = read_all(path, [file for *_, file in found], size)
    order = split_order(split)
    return ImageSet(images[order], labels[order], split[order], classes, sources)


def locate(path: Path) -> Path:
    """The folder of the splits' folders, or of parquet files: `path`, or one or two levels below."""
    if path.is_file() and hub.is_hub(path):
        return path
    if not path.is_dir():
        check_unpacked(path)
        raise CellarError(
            f"{path} does not exist; put train/<class>/ and test/<class>/ folders there, see data/README.md"
        )
    return find_root(path, lambda folder: any(map(is_split, visible(folder))) or hub.is_hub(folder))


def class_names(path: Path) -> tuple[str, ...]:
    train = split_folders(path).get("train")
    if train is None:
        raise CellarError(
            f"{path / 'train'} does not exist; put train/<class>/ image folders there, see data/README.md"
        )
    names = tuple(entry.name for entry in visible(train) if entry.is_dir())
    if len(names) < 2:
        raise CellarError(f"{train} has {len(names)} class folders; at least 2 are needed")
    return names


def list_all(path: Path, classes: tuple[str, ...]) -> list[tuple[str, int, Path]]:
    """(split, label, file) of all images by split, class and name."""
    folders = split_folders(path)
    check_has_test(path, folders)
    return [item for split in SPLITS if split in folders for item in list_images(folders[split], split, classes)]


def check_has_test(path: Path, folders: Mapping[str, Path]) -> None:
    if "test" not in folders:
        has = " and ".join(f"{folder.name}/" for folder in folders.values())
        raise CellarError(
            f"{path} has no test image: it has {has} only; put images that nothing is chosen by in test/<class>/"
        )


def list_images(folder: Path, split: str, classes: tuple[str, ...]) -> list[tuple[str, int, Path]]:
    """(split, label, file) of the images in a split's folder by class and name."""
    check_folders(folder, classes)
    return [(split, label, check_suffix(file)) for label, name in enumerate(classes) for file in visible(folder / name)]


def check_loose(folder: Path) -> None:
    """Raises CellarError for an image beside the class folders, which would have no class."""
    for file in visible(folder):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            raise CellarError(f"{file} is in no class folder; move it into one, or take it out")


def check_folders(folder: Path, classes: tuple[str, ...]) -> None:
    """The class folders of a split are exactly those of train, and all images are in them."""
    check_loose(folder)
    names = [entry.name for entry in visible(folder) if entry.is_dir()]
    for name in sorted(set(names) - set(classes)):
        raise CellarError(
            f"{folder / name} is no train class{likely(name, list(classes))}; classes: {', '.join(classes)}"
        )
    for name in sorted(set(classes) - set(names)):
        raise CellarError(
            f"{folder / name} does not exist, but train/ has class {name}; add its images or take the class out"
        )


def check_suffix(file: Path) -> Path:
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        raise CellarError(f"{file} is no image by its name ({' '.join(SUFFIXES)}); take it out")
    return file


def read_all(path: Path, files: list[Path], size: int | None) -> tuple[np.ndarray, dict[str, str]]:
    """Images in the order of `files`, and the sources for a manifest; RGB as soon as one is in colour."""
    images: list[Image.Image] = []
    hashes: dict[str, str] = {}
    for file in files:
        data = read(file)
        image = decode(file, data, None)
        images.append(image.resize((size, size), Image.Resampling.BILINEAR) if size else image)
        if images[-1].size != images[0].size:
            raise CellarError(odd_size(file, image, files[0], images[0]))
        hashes[file.relative_to(path).as_posix()] = hashlib.sha256(data).hexdigest()
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    return np.stack([np.asarray(image.convert(mode)) for image in images]), summarise(hashes)


def odd_size(file: Path, image: Image.Image, first: Path, first_image: Image.Image) -> str:
    sizes = [f"{i.size[0]}x{i.size[1]}" for i in (image, first_image)]
    return f"{file} is {sizes[0]}, but {first} is {sizes[1]}; resize all images to one size"
