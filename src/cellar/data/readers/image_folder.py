"""Anyone's images: {train,validation,test}/<class>/<any name>.{png,jpg,jpeg,bmp,webp}; validation is also val or valid."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cellar.config.validation_errors import likely
from cellar.data import image_formats
from cellar.data.class_names import check_twins, exactly, folded
from cellar.data.images import SUFFIXES, read_each, visible
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.data.readers import hub
from cellar.data.readers.root import check_unpacked, find_root
from cellar.data.readers.split_folders import is_split, split_folders
from cellar.data.splits import check_classes, hold_out, split_order
from cellar.errors import CellarError


def load(path: Path, size: int | None = None, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Images uint8 (N, H, W) when all are grey, else (N, H, W, 3); rows ordered by split, class and name.

    Classes are the sorted folder names of train. Without validation/, a seeded, stratified part of train is
    held out. `size`: images of mixed sizes are resized to size x size; without it all must be of one size.
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
    images, sources, remarks = read_all(path, [file for *_, file in found], size)
    order = split_order(split)
    return ImageSet(images[order], labels[order], split[order], classes, sources, remarks=remarks)


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
    check_twins(train, names)
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
        if twin := next((other for other in classes if folded(other) == folded(name)), None):
            raise CellarError(
                f"{folder}: {exactly(name)} is train's {exactly(twin)} in another letter case or Unicode form; rename one"
            )
        raise CellarError(
            f"{folder / name} is no train class{likely(name, list(classes))}; classes: {', '.join(classes)}"
        )
    for name in sorted(set(classes) - set(names)):
        raise CellarError(
            f"{folder / name} does not exist, but train/ has class {name}; add its images or take the class out"
        )


def check_suffix(file: Path) -> Path:
    if (other := image_formats.by_name(file.suffix)) and file.is_file():
        raise CellarError(f"{file} is {other} by its name, which is not read; {image_formats.remedy(other)}")
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        raise CellarError(f"{file} is no image by its name ({' '.join(SUFFIXES)}); take it out")
    return file


def read_all(path: Path, files: list[Path], size: int | None) -> tuple[np.ndarray, dict[str, str], tuple[str, ...]]:
    """Images in the order of `files`, the sources for a manifest, and remarks; RGB as soon as one is in colour.

    Images of one size stay as they are; else all are resized whole, as models' inputs are (bilinear), to `size`.
    """
    images: list[Image.Image] = []
    sizes: Counter[tuple[int, int]] = Counter()

    def fit(image: Image.Image) -> Image.Image:
        return image.resize((size, size), Image.Resampling.BILINEAR) if size else image

    def keep(row: int, image: Image.Image) -> None:
        sizes[image.size] += 1
        if len(sizes) > 1 and not size:
            raise CellarError(odd_size(files[row], image, files[0], images[0]))
        if len(sizes) == 2 and sizes[image.size] == 1:  # the first of another size
            images[:] = map(fit, images)
        images.append(fit(image) if len(sizes) > 1 else image)

    sources = read_each(path, files, None, keep)
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    remarks = (f"images of {len(sizes)} sizes: resized to {size}x{size}",) if len(sizes) > 1 else ()
    return np.stack([np.asarray(image.convert(mode)) for image in images]), sources, remarks


def odd_size(file: Path, image: Image.Image, first: Path, first_image: Image.Image) -> str:
    sizes = [f"{i.size[0]}x{i.size[1]}" for i in (image, first_image)]
    return f"{file} is {sizes[0]}, but {first} is {sizes[1]}; give input_size, or resize all images to one size"
