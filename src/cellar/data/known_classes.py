"""The classes of a data set before it is prepared, from the names of its raw files; no image is read."""

from pathlib import Path

from cellar.config import Dataset
from cellar.data.faces import EMOTIONS
from cellar.data.readers import cifar100, hub, identity_folder, image_folder
from cellar.errors import CellarError

FIXED = ("fer2013", "raf_db", "cifar100")  # layouts whose classes have one order, in every copy


def classes_of(section: Dataset) -> tuple[str, ...] | None:
    """In label order; None where they are not known yet, or the files are at fault, which `prepare` reports."""
    path = Path(section.path)
    try:
        if section.layout in ("fer2013", "raf_db"):
            return EMOTIONS
        if section.layout == "cifar100":
            place = cifar100.locate(path)
            return cifar100.read_classes(place / "meta") if (place / "meta").is_file() else None
        if section.layout == "identity_folder":
            root = identity_folder.find_persons(path)
            return tuple(identity_folder.list_images(root, section.images_needed, section.min_per_class)[0])
        place = image_folder.locate(path)
        return None if hub.is_hub(place) else image_folder.class_names(place)
    except CellarError:
        return None
