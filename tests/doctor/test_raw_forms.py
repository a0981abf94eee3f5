"""doctor sees raw data in the forms in which people have them, and names what must be unpacked or fetched."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cellar.config import Dataset
from cellar.data.synthetic import objects
from cellar.doctor import data_sets
from cellar.doctor.finding import Finding


def look(layout: str, **more: Any) -> tuple[Finding, data_sets.Extent | None]:
    section = Dataset.model_validate(
        {"enabled": True, "layout": layout, "path": "raw", "input_size": 8, "augmentation": "flip",
         "normalisation": "imagenet", "source": {"manual": "ask"}, **more}
    )  # fmt: skip
    return data_sets.look("mine", section)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    return tmp_path


def write_splits(*splits: str) -> None:
    for split in splits:
        for name in ("cat", "dog"):
            Path(f"raw/{split}/{name}").mkdir(parents=True)
            Image.new("L", (8, 8)).save(f"raw/{split}/{name}/1.png")


def test_packed_cifar100_is_read_as_it_is() -> None:
    objects.write_cifar100(Path("x"), 3, 200, 100)
    with tarfile.open("raw/cifar-100-python.tar.gz", "w:gz") as archive:
        archive.add("x", "cifar-100-python")
    finding, extent = look("cifar100")
    assert finding.state == "ok" and "cifar-100-python.tar.gz is packed, and read as it is" in finding.what
    assert extent is not None and (extent.images, extent.image_bytes) == (60_000, 3072)


def test_folders_around_and_val_are_counted() -> None:
    write_splits("archive/mine/train", "archive/mine/val", "archive/mine/test")
    finding, extent = look("image_folder")
    assert finding.state == "ok" and extent is not None and (extent.images, extent.classes) == (6, 2)


def test_parquet_files_are_counted_by_what_they_say() -> None:
    table = pa.table({"image": pa.array([b"x"] * 50, pa.binary()), "fine_label": np.arange(50)})
    for split in ("train", "test"):
        pq.write_table(table, f"raw/{split}-00000-of-00001.parquet")
    finding, extent = look("cifar100", checksums="any")
    assert finding.state == "ok" and extent is not None and (extent.images, extent.classes) == (100, 100)
    assert look("cifar100")[0].state == "bad"


def pack_images() -> None:
    write_splits("train", "test")
    shutil.make_archive("archive", "zip", "raw")
    shutil.rmtree("raw")
    Path("raw").mkdir()
    shutil.move("archive.zip", "raw")


def write_pointer() -> None:
    Path("raw/fer2013.csv").write_text("version https://git-lfs.github.com/spec/v1\n")


def write_unknown_split() -> None:
    write_splits("train", "test", "holdout")


BAD: list[tuple[str, Callable[[], None], str, str]] = [
    ("image_folder", pack_images, "raw/archive.zip is left packed", "cd raw && unzip archive.zip"),
    ("fer2013", write_pointer, "raw/fer2013.csv is a git-LFS pointer", "git lfs pull"),
    ("image_folder", write_unknown_split, "raw/holdout is no folder of a split", "take it out of raw"),
]


@pytest.mark.parametrize(("layout", "damage", "what", "do"), BAD)
def test_what_prepare_would_refuse_is_bad(layout: str, damage: Callable[[], None], what: str, do: str) -> None:
    damage()
    finding, extent = look(layout)
    assert finding.state == "bad" and extent is None
    assert what in finding.what and do in str(finding.do)
