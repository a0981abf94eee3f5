"""Whether the data sets that params.yaml names are here and whole, as far as a look at names and sizes tells.

The readers' own listings are asked, without a byte of an image: what they refuse, `prepare` would refuse an hour later.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cellar import paths
from cellar.config import Config, Dataset
from cellar.config.data import SyntheticSpec
from cellar.data.faces import EMOTIONS
from cellar.data.inputs.prepared import SPLITS
from cellar.data.readers import cifar100, fer2013, identity_folder, image_folder, raf_db, readable
from cellar.data.readers.layouts import how_to_get
from cellar.data.safe_pickle.plain_pickle import check_file
from cellar.doctor.finding import Finding
from cellar.errors import CellarError


@dataclass(frozen=True)
class Extent:
    """How many images of how many bytes each, once prepared, and their classes."""

    images: int
    image_bytes: int
    classes: int


PATIENCE = 0.3  # seconds to look for unreadable files in one data set
Look = Callable[[Path, Dataset], Extent]


def look_fer2013(path: Path, section: Dataset) -> Extent:
    pixels = fer2013.SIDE**2
    if (path / "train").is_dir() or (path / "test").is_dir():
        return Extent(len(list(fer2013.list_images(path))), pixels, len(EMOTIONS))
    table = path if path.is_file() else path / fer2013.CSV_NAME
    if not table.is_file():
        raise CellarError(f"{path} holds neither train/ and test/ nor {fer2013.CSV_NAME}")
    return Extent(table.stat().st_size // (2 * pixels), pixels, len(EMOTIONS))  # a digit and a space a pixel: at most


def look_raf_db(path: Path, section: Dataset) -> Extent:
    listed = raf_db.read_list(path)
    raf_db.check_images_present(path, listed)
    return Extent(len(listed), 3 * raf_db.SIDE**2, len(EMOTIONS))


def look_cifar100(path: Path, section: Dataset) -> Extent:
    folder = cifar100.find_folder(path)
    for name in cifar100.FILES:
        check_file(folder / name)
    image = 3 * cifar100.SIDE**2
    size = sum((folder / name).stat().st_size for name in ("train", "test"))
    return Extent(size // image, image, cifar100.FINE)


def look_image_folder(path: Path, section: Dataset) -> Extent:
    classes = image_folder.class_names(path)
    found = sum(len(image_folder.list_images(path, split, classes)) for split in SPLITS)
    return Extent(found, 3 * section.input_size**2, len(classes))


def look_identity_folder(path: Path, section: Dataset) -> Extent:
    folders = identity_folder.identities(identity_folder.find_root(path))
    least = section.train_per_class or 0, section.validation_per_class or 0
    found = sum(len(identity_folder.list_images(folder, *least)) for folder in folders.values())
    return Extent(found, 3 * section.input_size**2, len(folders))


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
    return [*findings, *named_files(config)], extents


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
    so_far = "" if all_seen else ", of which the first were looked at"
    return Finding("ok", topic, f"{path}: whole by its names{so_far} and sizes, {state_of(name, path)}"), extent


def refusal(topic: str, error: CellarError, off: str) -> Finding:
    what, _, do = str(error).rpartition("; ")
    return Finding("bad", topic, what, f"{do}, {off}")


def synthetic(section: Dataset, spec: SyntheticSpec) -> Extent:
    """The extent of synthetic data, by params.yaml."""
    images = spec.train + spec.validation + spec.test + spec.identities * spec.per_identity
    sides = {"fer2013": fer2013.SIDE**2, "raf_db": 3 * raf_db.SIDE**2, "cifar100": 3 * cifar100.SIDE**2}
    classes = spec.identities or (cifar100.FINE if section.layout == "cifar100" else len(EMOTIONS))
    return Extent(images, sides.get(section.layout, 3 * section.input_size**2), classes)


def state_of(name: str, path: Path) -> str:
    if (paths.prepared(name) / "arrays.npz").exists():
        return "prepared"
    return "not prepared yet" if path.exists() else "made when they are needed"


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
            if not Path(path).exists():
                yield Finding(
                    "bad", where, f"{path} does not exist", f"put the file there, or mend {where} in params.yaml"
                )
