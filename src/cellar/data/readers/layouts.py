"""Which reader serves which layout, and what to say when raw files are not there."""

from pathlib import Path

from cellar.config import Dataset
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import cifar100, fer2013, hub, identity_folder, image_folder, raf_db, readable
from cellar.errors import CellarError


def load(dataset: Dataset, name: str = "NAME") -> ImageSet:
    """Read the raw files of a data set in its layout; `name`, its key in params.yaml, serves the messages.

    Raises CellarError: what to get and where to put it when nothing is there, or what is wrong in it.
    """
    path = Path(dataset.path)
    readable.check(path)
    if not path.exists():
        raise CellarError(f"{path} does not exist; {how_to_get(dataset, name)}")
    if dataset.layout == "fer2013":
        return fer2013.load(path, dataset.validation_fraction, dataset.split_seed)
    if dataset.layout == "raf_db":
        return raf_db.load(path, dataset.validation_fraction, dataset.split_seed)
    if dataset.layout == "cifar100":
        return cifar100.load(path, dataset.checksums, dataset.validation_fraction, dataset.split_seed)
    if dataset.layout == "identity_folder":
        train, validation = dataset.train_per_class or 0, dataset.validation_per_class or 0
        return identity_folder.load(
            path, dataset.input_size, train, validation, dataset.split_seed, dataset.min_per_class
        )
    path = image_folder.locate(path)
    if hub.is_hub(path):
        return hub.load_images(path, dataset.input_size, dataset.validation_fraction, dataset.split_seed)
    return image_folder.load(path, dataset.input_size, dataset.validation_fraction, dataset.split_seed)


def how_to_get(dataset: Dataset, name: str) -> str:
    """What to do when the raw files are missing, in words, from the `source` of params.yaml."""
    source, path = dataset.source, dataset.path
    if source.synthetic is not None:
        return f"make it: dvc repro --single-item make_synthetic-{name}"
    if source.manual is not None:
        return f"{' '.join(source.manual.split()).rstrip('.')}; put it in {path}"
    what = f"Kaggle's {source.kaggle}" if source.kaggle is not None else source.url
    if source.torchvision is not None:
        what = f"torchvision's {source.torchvision}"
    return f"get it: cellar download {name} (it takes {what} and puts it in {path})"
