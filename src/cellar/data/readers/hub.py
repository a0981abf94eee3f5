"""Data sets as hubs distribute them: parquet files with a column of images and one of class numbers or names.

The hub's metadata name the classes of the numbers. Where they do not, the numbers mean what the published set's mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cellar.config.validation_errors import likely
from cellar.data.class_names import meaning
from cellar.data.faces import EMOTIONS
from cellar.data.images import decode
from cellar.data.inputs.prepared import SPLITS, ImageSet
from cellar.data.readers import fer2013_csv, parquet_files
from cellar.data.splits import check_classes, hold_out, split_order
from cellar.errors import CellarError, printable, safe_repr
from cellar.files import hash_file

IMAGES = ("image", "img")
LABELS = ("label", "labels")
FINE_LABELS = ("fine_label", "fine_labels", *LABELS)
EMOTION_LABELS = (*LABELS, "emotion", "emotions")
USAGES = {"publictest": "validation", "privatetest": "test"}  # FER2013's own names of its splits
CIFAR100_NAMES = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant "
    "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
    "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree "
    "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper "
    "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
    "trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)  # in the order of their numbers

is_hub = parquet_files.is_parquet


@dataclass(frozen=True)
class Columns:
    """The columns of images and of classes, and the names of the class numbers where the metadata have them."""

    image: str
    label: str
    names: tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Rows:
    """What the files hold, by split, then as it stands there: images, and the label of each (a number or a name)."""

    images: list[Image.Image]
    labels: list[int | str]
    split: np.ndarray
    sources: dict[str, str]


def load_fer2013(path: Path, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """FER2013: 48x48 grey, class numbers as in the csv unless the metadata name them; or the csv's own columns."""
    files = parquet_files.find_files(path)
    if not fer2013_csv.missing_of(list(parquet_files.columns(files[0]))):
        return load_table(path, files)
    found = find_columns(files, EMOTION_LABELS)
    names = found.names or fer2013_csv.EMOTION_OF_CODE
    check_emotions(path, names)
    rows = read_rows(path, found, "L", (fer2013_csv.SIDE, fer2013_csv.SIDE), USAGES)
    labels = [EMOTIONS.index(emotion_of(path, name_of(path, label, names))) for label in rows.labels]
    return assemble(path, rows, labels, EMOTIONS, validation_fraction, split_seed)


def load_table(path: Path, files: Sequence[Path]) -> ImageSet:
    """The competition's csv, made parquet."""
    rows = []
    for file in files:
        for row, values in parquet_files.rows(file, fer2013_csv.HEADER):
            rows.append(fer2013_csv.parse_row(f"{file}, row {row}", *(str(value).strip() for value in values)))
    return fer2013_csv.assemble(path, rows, hashes(path, files))


def load_cifar100(path: Path, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """CIFAR-100: 32x32 colour, the fine labels, rows as they stand."""
    found = find_columns(parquet_files.find_files(path), FINE_LABELS)
    official = tuple(CIFAR100_NAMES.split())
    names = found.names or official
    if len(names) != len(official):
        raise CellarError(
            f"{path}: {found.label} has {len(names)} classes, CIFAR-100's fine labels {len(official)}; "
            "get the data set with fine labels"
        )
    rows = read_rows(path, found, "RGB", (32, 32))
    labels = [number_of(path, label, names) for label in rows.labels]
    return assemble(path, rows, labels, names, validation_fraction, split_seed)


def load_images(path: Path, size: int, validation_fraction: float = 0.1, split_seed: int = 0) -> ImageSet:
    """Anyone's images, resized to size x size where they are not all of one size; classes in the metadata's order,
    else sorted."""
    found = find_columns(parquet_files.find_files(path), LABELS)
    rows = read_rows(path, found, None, None)
    names = found.names or tuple(map(str, sorted(set(rows.labels), key=lambda label: (isinstance(label, str), label))))
    labels = [number_of(path, label, names) if found.names else names.index(str(label)) for label in rows.labels]
    sizes = len({image.size for image in rows.images})
    resized, remarks = rows.images, tuple[str, ...]()
    if sizes > 1:
        resized = [image.resize((size, size), Image.Resampling.BILINEAR) for image in rows.images]
        remarks = (f"images of {sizes} sizes: resized to {size}x{size}",)
    mode = "L" if all(image.mode == "L" for image in resized) else "RGB"
    rows = Rows([image.convert(mode) for image in resized], rows.labels, rows.split, rows.sources)
    return replace(assemble(path, rows, labels, names, validation_fraction, split_seed), remarks=remarks)


def find_columns(files: Sequence[Path], known_labels: Sequence[str]) -> Columns:
    """Raises CellarError when there is no such column, or the files are unlike each other."""
    types = parquet_files.columns(files[0])
    image = image_column(files[0], types)
    label = next((name for name in known_labels if name in types), None)
    if label is None:
        raise CellarError(
            f"{files[0]} has no column {' or '.join(known_labels)}, but {shown(types)}; rename the one of the classes"
        )
    names = parquet_files.class_names(files[0], label)
    for file in files[1:]:
        if not {image, label} <= parquet_files.columns(file).keys() or parquet_files.class_names(file, label) != names:
            raise CellarError(f"{file} has other columns or classes than {files[0].name}; get the files of one version")
    return Columns(image, label, names)


def image_column(file: Path, types: Mapping[str, Any]) -> str:
    """The column of image files, as bytes or as {bytes, path}."""
    from pyarrow.types import is_binary, is_large_binary, is_struct

    def holds_bytes(kind: Any) -> bool:
        if is_struct(kind):
            return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field("bytes").type)
        return bool(is_binary(kind) or is_large_binary(kind))

    found = [name for name, kind in types.items() if holds_bytes(kind)]
    chosen = [name for name in IMAGES if name in found] or found
    if not chosen:
        raise CellarError(f"{file} has no column of images, but {shown(types)}; get the version with the images in it")
    if len(chosen) > 1 and chosen[0] not in IMAGES:
        raise CellarError(f"{file} has columns of images {shown(chosen)}; name the right one {IMAGES[0]}")
    return chosen[0]


def shown(names: Any) -> str:
    return printable(", ".join(map(str, names)))


def read_rows(
    path: Path,
    columns: Columns,
    mode: str | None,
    size: tuple[int, int] | None,
    more_splits: Mapping[str, str] | None = None,
) -> Rows:
    """All images, decoded. Raises CellarError with file and row."""
    by_split = parquet_files.files_by_split(path, more_splits or {})
    images: list[Image.Image] = []
    labels: list[int | str] = []
    split: list[str] = []
    for part in (name for name in SPLITS if name in by_split):
        for file in by_split[part]:
            for row, (image, label) in parquet_files.rows(file, [columns.image, columns.label]):
                where = f"{file}, row {row}"
                images.append(decode(Path(where), bytes_of(where, image), mode, size))
                labels.append(checked_label(where, label, columns))
                split.append(part)
    files = [file for files in by_split.values() for file in files]
    return Rows(images, labels, np.array(split, dtype="U10"), hashes(path, files))


def bytes_of(where: str, image: Any) -> bytes:
    data = image.get("bytes") if isinstance(image, dict) else image
    if not isinstance(data, bytes):
        raise CellarError(f"{where} has no image in it; get the version of the data set with the images in its files")
    return data


def checked_label(where: str, label: Any, columns: Columns) -> int | str:
    if type(label) is int and 0 <= label < len(columns.names or range(10**6)):
        return label
    if type(label) is str and label.strip():
        return printable(label.strip())
    raise CellarError(f"{where}: {columns.label} is {safe_repr(label)!r}, no class; get the file again")


def name_of(path: Path, label: int | str, names: Sequence[str]) -> str:
    """The name of a class number (also one written as text), or the name itself."""
    if isinstance(label, str) and not label.isdecimal():
        return label
    if int(label) >= len(names):
        raise CellarError(f"{path}: class {label} is unknown, expected 0 to {len(names) - 1}; get the data set again")
    return names[int(label)]


def number_of(path: Path, label: int | str, names: Sequence[str]) -> int:
    name = name_of(path, label, names)
    if name not in names:
        raise CellarError(f"{path}: class {name!r} is unknown{likely(name, list(names))}; get the data set again")
    return names.index(name)


def emotion_of(path: Path, name: str) -> str:
    emotion = meaning(name)
    if emotion not in EMOTIONS:
        raise CellarError(
            f"{path}: {name!r} is no emotion of FER2013, which has {', '.join(EMOTIONS)}; mend the classes"
        )
    return emotion


def check_emotions(path: Path, names: Sequence[str]) -> None:
    found = set(map(meaning, names))
    if found != set(EMOTIONS) or len(names) != len(EMOTIONS):
        raise CellarError(
            f"{path} has the classes {', '.join(names)}, FER2013 {', '.join(EMOTIONS)}; read it with layout: image_folder"
        )


def assemble(
    path: Path, rows: Rows, labels: Sequence[int], classes: tuple[str, ...], fraction: float, seed: int
) -> ImageSet:
    split, numbers = rows.split, np.array(labels, dtype=np.int64)
    check_classes(path, numbers, split, classes, required=("train", "test"))
    if not (split == "validation").any():
        split = hold_out(path, numbers, split, classes, fraction, seed)
        check_classes(path, numbers, split, classes)
    order = split_order(split)
    images = np.stack([np.asarray(rows.images[row]) for row in order])
    return ImageSet(images, numbers[order], split[order], classes, rows.sources)


def hashes(path: Path, files: Sequence[Path]) -> dict[str, str]:
    root = path.parent if path.is_file() else path
    return {file.relative_to(root).as_posix(): hash_file(file) for file in files}
