"""Image sets, and their prepared form on disk: arrays.npz and manifest.json, which later stages read instead of raw files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cellar.errors import CellarError
from cellar.files import read_arrays, read_json, write_arrays, write_json

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images of one size.

    images: uint8 (N, H, W) grey or (N, H, W, 3) RGB; labels: int64 (N,), positions in `classes`;
    split: str (N,), one of SPLITS; sources: raw file (or folder, ending in /) -> sha256; files: the name of each
    image's file in its class's folder, (N,), or () where the layout itself says which file is in which split;
    remarks: what the reader did beyond reading, as sentences for the manifest (which `load` does not read back).
    """

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    classes: tuple[str, ...]
    sources: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, dict[str, int]]:
        """Images by split and class, of the splits that exist."""
        return {
            split: {name: int(n) for name, n in zip(self.classes, self.class_counts(split), strict=True)}
            for split in SPLITS
            if (self.split == split).any()
        }

    def files_by_split(self) -> dict[str, dict[str, list[str]]]:
        """Split -> class -> names of its files, in the order of the rows."""
        named: dict[str, dict[str, list[str]]] = {}
        for split, label, file in zip(self.split.tolist(), self.labels.tolist(), self.files, strict=True):
            named.setdefault(split, {}).setdefault(self.classes[label], []).append(file)
        return named

    def class_counts(self, split: str) -> np.ndarray:
        """Images of each class in `split`: int64 (C,)."""
        return np.bincount(self.labels[self.split == split], minlength=len(self.classes))


def save(image_set: ImageSet, folder: Path, dataset: str, layout: str) -> None:
    """Write folder/arrays.npz and folder/manifest.json; the same set gives the same bytes."""
    manifest = folder / "manifest.json"
    manifest.unlink(missing_ok=True)  # the manifest comes last: where it stands, the arrays are its own
    write_arrays(
        folder / "arrays.npz",
        images=image_set.images,
        labels=image_set.labels.astype(np.int64),
        split=image_set.split.astype("U10"),
    )
    write_json(manifest, describe(image_set, dataset, layout))


def describe(image_set: ImageSet, dataset: str, layout: str) -> dict[str, Any]:
    """The manifest: classes in label order, shape of one image, images by split and class, raw hashes.

    Where a seed has made the splits it names the files of each too, in the order of the rows.
    """
    named: dict[str, Any] = {"files": image_set.files_by_split()} if image_set.files else {}
    remarks = {"remarks": list(image_set.remarks)} if image_set.remarks else {}
    return {
        "dataset": dataset,
        "layout": layout,
        "classes": list(image_set.classes),
        "image_shape": list(image_set.images.shape[1:]),
        "counts": image_set.counts(),
        "sources": image_set.sources,
        **remarks,
        **named,
    }


def load(folder: Path) -> ImageSet:
    """Read a prepared set. Raises CellarError when a file is missing, broken or at odds with the other."""
    manifest = read_json(folder / "manifest.json")
    arrays = read_arrays(folder / "arrays.npz")
    try:
        classes, counts, sources = manifest["classes"], manifest["counts"], manifest["sources"]
        named = manifest.get("files", {})
        files = tuple(file for split in named.values() for of_class in split.values() for file in of_class)
        image_set = ImageSet(arrays["images"], arrays["labels"], arrays["split"], tuple(classes), dict(sources), files)
        fits = well_formed(image_set, manifest["image_shape"]) and image_set.counts() == counts
        fits = fits and (not named or image_set.files_by_split() == named)
    except (KeyError, TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise CellarError(f"{folder}: manifest.json and arrays.npz disagree; remove the folder and prepare it again")
    return image_set


def well_formed(image_set: ImageSet, image_shape: Sequence[int]) -> bool:
    """Types and shapes as documented in ImageSet, labels inside the classes."""
    images, labels, split = image_set.images, image_set.labels, image_set.split
    return (
        images.dtype == np.uint8
        and labels.dtype == np.int64
        and list(images.shape[1:]) == list(image_shape)
        and len(images) == len(labels) == len(split)
        and bool(np.isin(split, SPLITS).all())
        and bool(((labels >= 0) & (labels < len(image_set.classes))).all())
    )
