"""The classes of a data set before it is prepared, from the names of its raw files; no image is read."""

from pathlib import Path

from cellar.config import Dataset
from cellar.data.faces import EMOTIONS
from cellar.data.readers import cifar100, identity_folder, image_folder
from cellar.errors import CellarError

FIXED = ("fer2013", "raf_db", "cifar100")  # layouts whose classes have one order, in every copy


def classes_of(section: Dataset) -> tuple[str, ...] | None:
    """In label order; None where they are not known yet, or the files are at fault, which `prepare` reports."""
    path = Path(section.path)
    try:
        if section.layout in ("fer2013", "raf_db"):
            return EMOTIONS
        if section.layout == "cifar100":
            return cifar100.read_classes(cifar100.find_folder(path) / "meta")
        if section.layout == "identity_folder":
            root = identity_folder.find_root(path)
            return tuple(identity_folder.list_images(root, section.images_needed, section.min_per_class)[0])
        return image_folder.class_names(path)
    except CellarError:
        return None
