"""Whether the data sets that params.yaml names are here and whole, as far as a look at names and sizes tells.

The readers' own listings are asked, without a byte of an image: what they refuse, `prepare` would refuse an hour later.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cellar import paths
from cellar.config import Config, Dataset, published
from cellar.config.data import SyntheticSpec
from cellar.data.faces import EMOTIONS
from cellar.data.foreign import check_is_data
from cellar.data.readers import (
    cifar100,
    fer2013,
    fer2013_csv,
    hub,
    identity_folder,
    image_folder,
    parquet_files,
    raf_db,
    raf_db_folders,
    readable,
)
from cellar.data.readers.layouts import how_to_get
from cellar.data.readers.packed import check_is_archive, is_packed
from cellar.data.safe_pickle.plain_pickle import check_file
from cellar.doctor.finding import Finding
from cellar.errors import CellarError

FER2013_IMAGES, CIFAR100_IMAGES = 35_887, 60_000  # as published: what is packed is not counted


@dataclass(frozen=True)
class Extent:
    """How many images of how many bytes each, once prepared, and their classes; `known` says by what."""

    images: int
    image_bytes: int
    classes: int
    known: str = "whole by its names and sizes"


PATIENCE = 0.3  # seconds to look for unreadable files in one data set
Look = Callable[[Path, Dataset], Extent]


def look_fer2013(path: Path, section: Dataset) -> Extent:
    pixels, place = fer2013_csv.SIDE**2, fer2013.locate(path)
    if hub.is_hub(place):
        return look_hub(place, pixels, len(EMOTIONS))
    if place.is_dir():
        return Extent(len(list(fer2013.list_images(place))), pixels, len(EMOTIONS))
    if is_packed(place):
        return Extent(FER2013_IMAGES, pixels, len(EMOTIONS), f"{place.name} is packed, and read as it is")
    check_is_data(place)
    return Extent(place.stat().st_size // (2 * pixels), pixels, len(EMOTIONS))  # a digit and a space a pixel: at most


def look_raf_db(path: Path, section: Dataset) -> Extent:
    root = raf_db.locate(path)
    if not (root / raf_db.LIST).is_file() and raf_db_folders.has_folders(root):
        return Extent(len(raf_db_folders.list_images(path, root)), 3 * raf_db.SIDE**2, len(EMOTIONS))
    listed = raf_db.read_list(root)
    raf_db.check_images_present(root, listed)
    return Extent(len(listed), 3 * raf_db.SIDE**2, len(EMOTIONS))


def look_cifar100(path: Path, section: Dataset) -> Extent:
    image, place = 3 * cifar100.SIDE**2, cifar100.locate(path)
    if hub.is_hub(place):
        cifar100.check_unpublished(place, section.checksums)
        return look_hub(place, image, cifar100.FINE)
    if place.is_file():
        check_is_archive(place)
        return Extent(CIFAR100_IMAGES, image, cifar100.FINE, f"{place.name} is packed, and read as it is")
    for name in cifar100.FILES:
        check_file(place / name)
        check_is_data(place / name)
    size = sum((place / name).stat().st_size for name in ("train", "test"))
    return Extent(size // image, image, cifar100.FINE)


def look_hub(path: Path, image: int, classes: int = 0) -> Extent:
    """Parquet files: their rows as they say; classes as their metadata say, where the layout does not."""
    files = parquet_files.find_files(path)
    found = classes or len(hub.find_columns(files, hub.LABELS).names or ())
    return Extent(sum(map(parquet_files.count_rows, files)), image, found)


def look_image_folder(path: Path, section: Dataset) -> Extent:
    path = image_folder.locate(path)
    if hub.is_hub(path):
        return look_hub(path, 3 * section.input_size**2)
    classes = image_folder.class_names(path)
    return Extent(len(image_folder.list_all(path, classes)), 3 * section.input_size**2, len(classes))


def look_identity_folder(path: Path, section: Dataset) -> Extent:
    root = identity_folder.find_persons(path)
    found, _ = identity_folder.list_images(root, section.images_needed, section.min_per_class)
    return Extent(sum(map(len, found.values())), 3 * section.input_size**2, len(found))


LOOKS: dict[str, Look] = {
    "fer2013": look_fer2013,
    "raf_db": look_raf_db,
    "cifar100": look_cifar100,
    "image_folder": look_image_folder,
    "identity_folder": look_identity_folder,
}


def examine(config: Config) -> tuple[list[Finding], dict[str, Extent]]:
    """A line a data set that is on, and the extent of those that are here or can be made."""
    findings: list[Finding] = []
    extents: dict[str, Extent] = {}
    for name, section in config.datasets.items():
        if section.enabled:
            finding, extent = look(name, section)
            findings.append(finding)
            if extent:
                extents[name] = extent
    return [*findings, *misdescribed(config), *named_files(config), *doubtful_images(config)], extents


def look(name: str, section: Dataset) -> tuple[Finding, Extent | None]:
    path, topic = Path(section.path), f"data {name}"
    off = f"or set datasets.{name}.enabled: false in params.yaml"
    if section.source.synthetic:
        extent = synthetic(section, section.source.synthetic)
        return Finding("ok", topic, f"{path}: {extent.images} images, {state_of(name, path)}"), extent
    try:
        all_seen = readable.check(path, PATIENCE)
    except CellarError as error:
        return refusal(topic, error, off), None
    if not path.exists():
        by_hand = f"{how_to_get(section, name)}, {off}"
        do = by_hand if section.source.manual is not None else f"cellar download {name}"
        return Finding("bad", topic, f"{path} does not exist", do), None
    try:
        extent = LOOKS[section.layout](path, section)
    except CellarError as error:
        return refusal(topic, error, off), None
    so_far = "" if all_seen else "; unreadable names were looked for among the first files"
    return Finding("ok", topic, f"{path}: {extent.known}{so_far}, {state_of(name, path)}"), extent


def refusal(topic: str, error: CellarError, off: str) -> Finding:
    what, _, do = str(error).rpartition("; ")
    return Finding("bad", topic, what, f"{do}, {off}")


def synthetic(section: Dataset, spec: SyntheticSpec) -> Extent:
    """The extent of synthetic data, by params.yaml."""
    images = spec.train + spec.validation + spec.test + spec.identities * spec.per_identity
    sides = {"fer2013": fer2013_csv.SIDE**2, "raf_db": 3 * raf_db.SIDE**2, "cifar100": 3 * cifar100.SIDE**2}
    classes = spec.identities or (cifar100.FINE if section.layout == "cifar100" else len(EMOTIONS))
    return Extent(images, sides.get(section.layout, 3 * section.input_size**2), classes)


def state_of(name: str, path: Path) -> str:
    if (paths.prepared(name) / "arrays.npz").exists():
        return "prepared"
    return "not prepared yet" if path.exists() else "made when they are needed"


def misdescribed(config: Config) -> Iterator[Finding]:
    """Data sets of which `scale` says what they are not: every table's first lines are written from it."""
    for name, section in config.datasets.items():
        if section.enabled and section.is_synthetic != config.scale.synthetic:
            are, said = ("", "not ") if section.is_synthetic else ("not ", "")
            what = f"its images are {are}synthetic; by scale.synthetic in params.yaml, every table says that they are {said}so"
            do = f"mend scale (name, synthetic, note), or set datasets.{name}.enabled: false"
            yield Finding("warn", f"data {name}", what, do)


def named_files(config: Config) -> Iterator[Finding]:
    """Files of the user's own that params.yaml names: published weights, folders of faces."""
    for params in config.studies.values():
        folders = {params.place("faces", key, "folder"): one.folder for key, one in params.faces.items() if one.folder}
        for where, path in {**params.needed_weights(), **folders}.items():
            try:
                readable.check(Path(path), PATIENCE)
            except CellarError as error:
                what, _, do = str(error).rpartition("; ")
                yield Finding("bad", where, what, do)
                continue
            if not Path(path).exists():  # what is here, cellar.doctor.weights_files looks into
                yield Finding(
                    "bad", where, f"{path} does not exist", f"put the file there, or mend {where} in params.yaml"
                )


def doubtful_images(config: Config) -> Iterator[Finding]:
    """Published weights that would meet other images than they learnt."""
    for params in config.all_params():
        yield from (Finding("warn", key, what, do) for key, what, do in published.doubts(params))
