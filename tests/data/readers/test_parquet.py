"""Parquet files as hubs distribute them: the same images as in the published form, classes by the metadata's names."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cellar.config import Dataset
from cellar.data.faces import EMOTIONS
from cellar.data.readers import cifar100, fer2013, layouts
from cellar.errors import CellarError

CSV_ORDER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # the published codes 0 .. 6


def png(value: int, size: tuple[int, int] = (48, 48), mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, value if mode == "L" else (value, 0, 255 - value)).save(buffer, "PNG")
    return buffer.getvalue()


def write(
    path: Path,
    images: Sequence[Any],
    labels: Sequence[Any],
    names: Sequence[str] | None = None,
    label: str = "label",
    image: str = "image",
    raw: bool = False,
) -> None:
    """As the `datasets` library writes: structs {bytes, path}, and the features in the metadata of the schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    column = (
        pa.array(images, pa.binary())
        if raw
        else pa.array(
            [{"bytes": data, "path": None} for data in images], pa.struct({"bytes": pa.binary(), "path": pa.string()})
        )
    )
    table = pa.table({image: column, label: pa.array(labels)})
    if names is not None:
        features = {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)


def write_fer2013(folder: Path, names: Sequence[str] | None = None, **more: Any) -> None:
    """Two images of each code and split, whose grey is 10 * code + 100 (train), + 101 (validation), + 102 (test)."""
    for offset, split in enumerate(("train", "validation", "test")):
        codes = [code for _ in range(2) for code in range(7)]
        write(
            folder / f"data/{split}-00000-of-00001.parquet",
            [png(100 + 10 * code + offset) for code in codes],
            codes,
            names,
            **more,
        )


def emotions_by_grey(folder: Path) -> dict[int, str]:
    found = fer2013.load(folder)
    assert found.classes == EMOTIONS and found.split.tolist() == ["train"] * 14 + ["validation"] * 14 + ["test"] * 14
    train = found.split == "train"
    return dict(zip(found.images[train][:, 0, 0].tolist(), [EMOTIONS[n] for n in found.labels[train]], strict=True))


@pytest.mark.parametrize("raw", [False, True])
def test_codes_of_fer2013_mean_what_the_csv_says(tmp_path: Path, raw: bool) -> None:
    write_fer2013(tmp_path, raw=raw)
    expected = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert emotions_by_grey(tmp_path) == {100 + 10 * code: name for code, name in enumerate(expected)}


def test_names_in_the_metadata_come_first(tmp_path: Path) -> None:
    write_fer2013(tmp_path, names=sorted(CSV_ORDER))
    expected = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert emotions_by_grey(tmp_path) == {100 + 10 * code: name for code, name in enumerate(expected)}


def test_rows_stand_as_in_the_files_and_keep_every_pixel(tmp_path: Path) -> None:
    write_fer2013(tmp_path)
    found = fer2013.load(tmp_path)
    expected = [100 + 10 * code + offset for offset in range(3) for _ in range(2) for code in range(7)]
    assert found.images.shape == (42, 48, 48) and found.images[:, 7, 9].tolist() == expected
    assert (found.images == found.images[:, :1, :1]).all()
    assert sorted(found.sources) == [f"{split}-00000-of-00001.parquet" for split in ("test", "train", "validation")]


@pytest.mark.parametrize("validation", ["valid", "val", "PublicTest", "dev"])
def test_names_of_splits_and_folders(tmp_path: Path, validation: str) -> None:
    codes = list(range(7)) * 2
    for split in ("train", validation, "PrivateTest" if validation == "PublicTest" else "test"):
        write(tmp_path / f"x/{split}.parquet", [png(code) for code in codes], codes)
    assert {split: sum(n.values()) for split, n in fer2013.load(tmp_path).counts().items()} == {
        "train": 14,
        "validation": 14,
        "test": 14,
    }


def test_files_in_folders_of_splits_and_in_shards(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for shard in range(2):
            codes = list(range(7)) * 5
            write(tmp_path / f"default/{split}/{shard:04d}.parquet", [png(code + shard) for code in codes], codes)
    found = fer2013.load(tmp_path, validation_fraction=0.2)
    assert {split: sum(n.values()) for split, n in found.counts().items()} == {
        "train": 56,
        "validation": 14,
        "test": 70,
    }
    shards = tmp_path / "shards/data"
    for split, count in (("train", 2), ("test", 1)):
        for shard in range(count):
            codes = list(range(7)) * 5
            write(shards / f"{split}-{shard:05d}-of-{count:05d}.parquet", [png(100 + shard)] * 35, codes)
    assert fer2013.load(tmp_path / "shards").images.shape == (105, 48, 48)
    (shards / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(CellarError, match="train-00001-of-00002 is missing"):
        fer2013.load(tmp_path / "shards")


def test_the_competitions_table_as_parquet(tmp_path: Path) -> None:
    rows = [(code, usage) for usage in ("PrivateTest", "Training", "PublicTest") for code in range(7)]
    table = {
        "emotion": [code for code, _ in rows],
        "pixels": [" ".join([str(code)] * 2304) for code, _ in rows],
        "Usage": [usage for _, usage in rows],
    }
    pq.write_table(pa.table(table), tmp_path / "0000.parquet")
    found = fer2013.load(tmp_path)
    assert found.labels[:7].tolist() == [3, 4, 5, 0, 2, 1, 6] and found.images[:7, 0, 0].tolist() == list(range(7))
    assert found.split.tolist() == ["train"] * 7 + ["validation"] * 7 + ["test"] * 7


NAMES = [f"name_{number:03d}" for number in np.random.default_rng(1).permutation(100)]


def write_cifar100(folder: Path, names: Sequence[str] | None) -> None:
    for split, each in (("train", 2), ("test", 1)):
        labels = list(range(100)) * each
        images = [png(label, (32, 32), "RGB") for label in labels]
        write(folder / f"cifar100/{split}-00000-of-00001.parquet", images, labels, names, "fine_label", "img")


def test_cifar100_by_its_fine_labels(tmp_path: Path) -> None:
    write_cifar100(tmp_path, NAMES)
    found = cifar100.load(tmp_path, "any", validation_fraction=0.5)
    assert found.classes == tuple(NAMES) and found.images.shape == (300, 32, 32, 3)
    assert found.images[:, 3, 4, 0].tolist() == found.labels.tolist()
    assert found.split.tolist() == ["train"] * 100 + ["validation"] * 100 + ["test"] * 100


def test_cifar100_without_names_has_the_published_ones(tmp_path: Path) -> None:
    write_cifar100(tmp_path, None)
    names = cifar100.load(tmp_path, "any", validation_fraction=0.5).classes
    assert (names[0], names[1], names[19], names[53], names[99]) == (
        "apple",
        "aquarium_fish",
        "cattle",
        "orange",
        "worm",
    )


def test_cifar100_has_no_published_checksum_as_parquet(tmp_path: Path) -> None:
    write_cifar100(tmp_path, NAMES)
    with pytest.raises(CellarError, match="no checksum of parquet files is published; say checksums: any"):
        cifar100.load(tmp_path)


def declare(path: Path) -> Dataset:
    return Dataset.model_validate(
        {"enabled": True, "layout": "image_folder", "path": str(path), "input_size": 8, "augmentation": "flip",
         "normalisation": "imagenet", "validation_fraction": 0.5, "source": {"manual": "x"}}
    )  # fmt: skip


def test_anyones_images(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path / f"{split}.parquet", [png(10, (9, 7)), png(20, (9, 7))] * 4, ["cat", "ant"] * 4)
    found = layouts.load(declare(tmp_path))
    assert found.classes == ("ant", "cat") and found.images.shape == (16, 7, 9)
    assert {(int(image[0, 0]), found.classes[n]) for image, n in zip(found.images, found.labels, strict=True)} == {
        (10, "cat"),
        (20, "ant"),
    }


def shorten(folder: Path) -> None:
    file = folder / "data/train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-500])


def rewrite(images: Sequence[Any], labels: Sequence[Any], **more: Any) -> Callable[[Path], None]:
    return lambda folder: write(folder / "data/train-00000-of-00001.parquet", images, labels, **more)


def put(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "data" / name).write_bytes(content) and None


def rename(name: str) -> Callable[[Path], None]:
    return lambda folder: write(folder / "data" / name, SEVEN, range(7))


SEVEN = [png(1)] * 7
BROKEN: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "cut short": (shorten, ["train-00000-of-00001.parquet is no whole parquet file", "get it again"]),
    "pointer": (put("train-00000-of-00001.parquet", b"version https://git-lfs.github.com/spec/v1\n"), ["git-LFS pointer", "git lfs pull"]),
    "page": (put("train-00000-of-00001.parquet", b"<!DOCTYPE html>"), ["is a web page"]),
    "empty": (put("test-00000-of-00001.parquet", b""), ["test-00000-of-00001.parquet is an empty file"]),
    "no split": (rename("holdout-00000-of-00001.parquet"), ["holdout-00000-of-00001.parquet names no split"]),
    "two names of one split": (rename("val-00000-of-00001.parquet"), ["both val and validation", "one out"]),
    "no image": (rewrite([None] * 7, range(7)), ["row 1 has no image in it"]),
    "not an image": (rewrite([*SEVEN[:2], b"x", *SEVEN[:4]], range(7)), ["row 3 is not a readable image"]),
    "wrong size": (rewrite([png(1, (32, 32))] * 7, range(7)), ["row 1 is 32x32, expected 48x48"]),
    "code 7": (rewrite(SEVEN, [*range(6), 7]), ["class 7 is unknown, expected 0 to 6"]),
    "a label missing": (rewrite(SEVEN, [*range(6), None]), ["row 7: label is 'None'"]),
    "no label column": (lambda folder: write_fer2013(folder, label="target"), ["has no column label", "image, target"]),
    "other names": (rewrite(SEVEN, range(7), names=CSV_ORDER), ["other columns or classes than"]),
    "an unknown word": (rewrite(SEVEN, ["bored", *CSV_ORDER[1:]]), ["'bored' is no emotion"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_set_is_one_line(tmp_path: Path, case: str) -> None:
    write_fer2013(tmp_path)
    damage, words = BROKEN[case]
    damage(tmp_path)
    with pytest.raises(CellarError) as caught:
        fer2013.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("names", [("cat", *CSV_ORDER[1:]), CSV_ORDER[:6], (*CSV_ORDER, "contempt")])
def test_classes_that_are_not_the_seven_emotions(tmp_path: Path, names: Sequence[str]) -> None:
    write_fer2013(tmp_path, names=names)
    with pytest.raises(CellarError, match=rf"has the classes {', '.join(names)}, FER2013 happy, surprise"):
        fer2013.load(tmp_path)
