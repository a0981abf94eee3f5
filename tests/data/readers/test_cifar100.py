"""CIFAR-100's pickles: read as data, whichever Python wrote them; everything else is refused in one line."""

import hashlib
import io
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from cellar.config import Dataset
from cellar.data.readers import cifar100, image_folder, layouts
from cellar.data.safe_pickle.plain_pickle import PlainArray, read_plain
from cellar.errors import CellarError

Content = dict[bytes, Any]
NAMES = [f"class_{number:03d}" for number in np.random.default_rng(0).permutation(100)]  # in no sorted order
META: Content = {
    b"fine_label_names": [name.encode() for name in NAMES],
    b"coarse_label_names": [f"coarse_{number}".encode() for number in range(20)],
}


def batch(split: str, each: int) -> Content:
    """`each` images a class; every byte of image `row` is derived from its row, so that no two are alike."""
    labels = np.tile(np.arange(100), each)
    data = np.random.default_rng(each).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    return {
        b"filenames": [f"{split}_{row}.png".encode() for row in range(len(labels))],
        b"batch_label": f"{split} batch 1 of 1".encode(),
        b"fine_labels": labels.tolist(),
        b"coarse_labels": (labels // 5).tolist(),
        b"data": data,
    }


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its str: the opcodes of the published files."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_str(self, value: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_str


def dump(content: object, path: Path, python: int = 3) -> None:
    buffer = io.BytesIO()
    (Python2Pickler if python == 2 else pickle._Pickler)(buffer, protocol=2).dump(content)
    path.write_bytes(buffer.getvalue().replace(b"numpy._core.", b"numpy.core.") if python == 2 else buffer.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of 1,000 and 100 images in the published structure."""
    inner = tmp_path / "raw" / "cifar-100-python"
    inner.mkdir(parents=True)
    for name, content in (("train", batch("train", 10)), ("test", batch("test", 1)), ("meta", META)):
        dump(content, inner / name)
    return inner


def test_images_labels_and_names_mean_what_the_files_say(folder: Path) -> None:
    found = cifar100.load(folder, checksums="any")
    raw = batch("test", 1)
    test = found.split == "test"
    assert found.classes == tuple(NAMES)
    assert found.images.shape == (1100, 32, 32, 3) and found.images.dtype == np.uint8
    assert found.labels[test].tolist() == raw[b"fine_labels"]
    # row 7, pixel (y 3, x 5): the planes of red, green and blue are 1,024 bytes each, rows of 32
    place = 3 * 32 + 5
    planes = raw[b"data"][7, [place, 1024 + place, 2048 + place]]
    assert found.images[test][7, 3, 5].tolist() == planes.tolist()
    assert found.sources == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("train", "test", "meta")
    }


def test_python_2_wrote_the_published_files(folder: Path) -> None:
    expected = cifar100.load(folder, checksums="any")
    for name, content in (("train", batch("train", 10)), ("test", batch("test", 1)), ("meta", META)):
        dump(content, folder / name, python=2)
    assert b"_codecs" not in (folder / "train").read_bytes() and b"numpy.core.multi" in (folder / "train").read_bytes()
    found = cifar100.load(folder, checksums="any")
    assert found.classes == expected.classes and (found.split == expected.split).all()
    assert (found.images == expected.images).all() and (found.labels == expected.labels).all()


def test_validation_is_a_seeded_part_of_train_the_same_of_each_class(folder: Path) -> None:
    found = cifar100.load(folder, checksums="any", validation_fraction=0.2, split_seed=1)
    again = cifar100.load(folder, checksums="any", validation_fraction=0.2, split_seed=1)
    other = cifar100.load(folder, checksums="any", validation_fraction=0.2, split_seed=2)
    assert [np.unique(found.class_counts(s)).tolist() for s in ("train", "validation", "test")] == [[8], [2], [1]]
    assert found.split.tolist() == ["train"] * 800 + ["validation"] * 200 + ["test"] * 100
    assert (found.images == again.images).all()
    assert not (found.images == other.images).all()
    assert {image.tobytes() for image in found.images} == {image.tobytes() for image in other.images}


def test_the_folder_may_be_inside_the_path(folder: Path) -> None:
    found = cifar100.load(folder.parent, checksums="any")
    assert len(found) == 1100 and "cifar-100-python/train" in found.sources


def test_other_files_than_the_published_ones_are_named(folder: Path) -> None:
    with pytest.raises(CellarError, match=r"checksums: any in params\.yaml") as caught:
        cifar100.load(folder)
    message = str(caught.value)
    found = hashlib.md5((folder / "train").read_bytes()).hexdigest()
    assert f"{folder / 'train'} has md5 {found}, the published one 16019d7e3df5f24257cddd939b257f8d" in message


def test_files_with_the_published_checksums_are_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import CIFAR100

    md5 = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in ("train", "test", "meta")}
    monkeypatch.setattr(CIFAR100, "train_list", [["train", md5["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", md5["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", {"filename": "meta", "md5": md5["meta"]})
    assert len(cifar100.load(folder)) == 1100
    monkeypatch.setattr(CIFAR100, "meta", {"filename": "meta", "md5": "0" * 32})
    with pytest.raises(CellarError, match=r"meta has md5 .*, the published one 0000"):
        cifar100.load(folder)


def assert_refused(folder: Path, *words: str) -> None:
    """Reading `folder` fails in one line that holds `words`."""
    with pytest.raises(CellarError) as caught:
        cifar100.load(folder, checksums="any")
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    assert [word for word in words if word not in message] == []


Spoil = Callable[[Content], Any]


def put(key: str, value: Any) -> Spoil:
    return lambda content: content | {key.encode(): value(content[key.encode()])}


WRONG_TRAIN: dict[str, tuple[Spoil, list[str]]] = {
    "cifar 10": (
        lambda b: {b"labels": b[b"fine_labels"]} | {k: b[k] for k in (b"data", b"filenames", b"batch_label")},
        ["CIFAR-10's file", "batch_label, data, filenames, labels"],
    ),
    "other keys": (lambda _: {b"pixels": 1, b"\n": 2}, ["not CIFAR-100's", "its keys are"]),
    "no dict": (lambda b: b[b"fine_labels"], ["holds no dict"]),
    "an array": (lambda b: b[b"data"], ["holds no dict"]),
    "shape": (put("data", lambda d: d[:, :3071]), ["uint8 (1000, 3071)", "expected uint8 (N, 3072)"]),
    "form": (put("data", lambda d: d.reshape(-1, 3, 32, 32)), ["(1000, 3, 32, 32)"]),
    "dtype": (put("data", lambda d: d.astype(np.float32)), ["float32 (1000, 3072)"]),
    "objects": (put("data", lambda d: d[:, :2].astype(object)), ["data is broken", "something else than numbers"]),
    "no array": (put("data", lambda _: [1, 2]), ["data is no array"]),
    "images": (put("data", lambda d: d[:-1]), ["1000 fine_labels for 999 images"]),
    "fine labels": (put("fine_labels", lambda labels: labels[:-1]), ["999 fine_labels for 1000 images"]),
    "filenames": (put("filenames", lambda names: names[:3]), ["3 filenames for 1000 images"]),
    "labels no list": (put("fine_labels", lambda _: 3), ["no fine_labels"]),
    "too high": (put("fine_labels", lambda v: [*v[:-1], 100]), ["entry 999 is '100'", "expected 0 to 99"]),
    "negative": (put("fine_labels", lambda v: [-1, *v[1:]]), ["entry 0 is '-1'"]),
    "huge": (put("fine_labels", lambda v: [10**30, *v[1:]]), ["entry 0"]),
    "text": (put("fine_labels", lambda v: ["a\nb", *v[1:]]), ["entry 0 is 'a?b'"]),
    "coarse": (put("coarse_labels", lambda v: [20, *v[1:]]), ["coarse_labels, entry 0", "expected 0 to 19"]),
    "a class missing": (put("fine_labels", lambda v: [max(x, 1) for x in v]), [f"class {NAMES[0]} has no image"]),
}


@pytest.mark.parametrize("case", WRONG_TRAIN)
def test_a_wrong_batch_is_one_line(folder: Path, case: str) -> None:
    spoil, words = WRONG_TRAIN[case]
    dump(spoil(batch("train", 10)), folder / "train")
    path = folder if case == "a class missing" else folder / "train"
    assert_refused(folder, str(path), *words)


WRONG_META: dict[str, tuple[Spoil, list[str]]] = {
    "99 names": (put("fine_label_names", lambda n: n[:-1]), ["fine_label_names holds 99 names, expected 100"]),
    "101 names": (put("fine_label_names", lambda n: [*n, b"more"]), ["holds 101 names"]),
    "one twice": (put("fine_label_names", lambda n: [*n[:-1], n[0]]), ["holds 99 names"]),
    "no names": (put("fine_label_names", lambda _: list(range(100))), ["holds 0 names"]),
    "no list": (put("coarse_label_names", lambda _: None), ["coarse_label_names holds 0 names, expected 20"]),
    "cifar 10": (lambda _: {b"label_names": [b"cat"], b"num_vis": 3072}, ["CIFAR-10's file"]),
}


@pytest.mark.parametrize("case", WRONG_META)
def test_wrong_names_are_one_line(folder: Path, case: str) -> None:
    spoil, words = WRONG_META[case]
    dump(spoil(META), folder / "meta")
    assert_refused(folder, str(folder / "meta"), *words)


class Payload:
    """Calls something when it is unpickled the usual way."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_code_in_a_file_is_named_and_never_run(folder: Path, name: str) -> None:
    planted = folder / "planted"
    content: Content = META if name == "meta" else batch(name, 1)
    dump(content | {b"more": Payload(os.mkdir, str(planted))}, folder / name)
    pickle.loads((folder / name).read_bytes())
    assert planted.is_dir(), "the payload works where it is let"
    planted.rmdir()
    assert_refused(folder, str(folder / name), f"{os.name}.mkdir", "nothing of it was run")
    assert not planted.exists()


HOSTILE = {
    "eval": b"\x80\x02c__builtin__\neval\nX\x07\x00\x00\x00open('x'\x85R.",
    "getattr": b"cbuiltins\ngetattr\n.",
    "inst": b"(X\x04\x00\x00\x00exitios\nsystem\n.",
    "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "dotted": b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.",
    "numpy load": b"cnumpy\nload\n.",
    "strange name": b"c\x1b[31mred\nname\n.",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_names_outside_the_list_are_refused(folder: Path, case: str) -> None:
    (folder / "train").write_bytes(HOSTILE[case])
    assert_refused(folder, str(folder / "train"), " names ", "nothing of it was run")


BROKEN = {
    "text": b"404\n",
    "attribute of a function": b"cnumpy\ndtype\n}X\x01\x00\x00\x00axsb.",
    "state of a class": b"cnumpy\nndarray\n(N}X\x01\x00\x00\x00axstb.",
    "another codec": b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x0b\x00\x00\x00idna\n\n\n\n\n\n\n\x86R.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent": b"Pid\n.",
    "unhashable": b"\x80\x02}]K\x01s.",
    "claims 2 GB": b"\x80\x02T\x00\x00\x00\x7fabc.",
    "memo far up": b"\x80\x02Nr\xff\xff\xff\xffabc",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_pickle_is_one_line(folder: Path, case: str) -> None:
    (folder / "test").write_bytes(BROKEN[case])
    assert_refused(folder, f"{folder / 'test'} is not a whole pickle", "get the published file")


@pytest.mark.parametrize("keep", [3, 1000, 2_000_000, -1])
def test_a_truncated_file_is_one_line(folder: Path, keep: int) -> None:
    (folder / "train").write_bytes((folder / "train").read_bytes()[:keep])
    assert_refused(folder, f"{folder / 'train'} is not a whole pickle")


def array_of(*state: Any) -> PlainArray:
    array = PlainArray()
    array.__setstate__(state)
    return array


def test_an_array_that_contradicts_itself(folder: Path, tmp_path: Path) -> None:
    dump(np.arange(6, dtype=np.uint8).reshape(2, 3), tmp_path / "array")
    _, shape, kind, _, content = read_plain(tmp_path / "array").state
    assert array_of(1, shape, kind, False, content).build().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert array_of(1, shape, kind, True, content).build().tolist() == [[0, 2, 4], [1, 3, 5]]
    for state in (
        (1, (2, 4), kind, False, content),
        (1, (-1, 3), kind, False, content),
        (1, (10**18, 10**18), kind, False, content),
        (1, "ab", kind, False, content),
        (1, shape, "u1", False, content),
        (1, shape, kind, False, [1, 2]),
        (1,),
    ):
        with pytest.raises((ValueError, TypeError)):
            array_of(*state).build()
    with pytest.raises(TypeError):
        PlainArray().build()


def test_big_endian_numbers_keep_their_values(tmp_path: Path) -> None:
    dump(np.array([1, 2**40], dtype=">i8"), tmp_path / "array")
    assert read_plain(tmp_path / "array").build().tolist() == [1, 2**40]


def test_sizes_are_looked_at_before_reading(folder: Path) -> None:
    with (folder / "test").open("r+b") as file:
        file.truncate(2**30 + 1)  # sparse: takes no room
    assert_refused(folder, f"{folder / 'test'} has 1,073,741,825 bytes")


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert_refused(folder, f"{folder / name} does not exist")


def test_a_path_that_is_no_folder(folder: Path) -> None:
    assert_refused(folder / "train", "does not exist, or is no folder", "cifar-100-python")


def declare(path: Path, **more: Any) -> Dataset:
    line = {
        "enabled": True,
        "layout": "cifar100",
        "path": str(path),
        "input_size": 32,
        "augmentation": "crop_flip",
        "normalisation": "cifar100",
        "source": {"torchvision": "CIFAR100"},
    }
    return Dataset.model_validate(line | more)


def test_params_choose_checksums_fraction_and_seed(folder: Path) -> None:
    with pytest.raises(CellarError, match="has md5"):
        layouts.load(declare(folder))
    found = layouts.load(declare(folder, checksums="any", validation_fraction=0.3, split_seed=5))
    expected = cifar100.load(folder, "any", 0.3, 5)
    assert (found.split == "validation").sum() == 300 and (found.images == expected.images).all()


def test_a_missing_set_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match=r"cellar download cifar \(it takes torchvision's CIFAR100"):
        layouts.load(declare(tmp_path / "none"), "cifar")
    drawn = declare(tmp_path / "none", source={"synthetic": {"seed": 1, "train": 100, "test": 100}})
    with pytest.raises(CellarError, match="dvc repro --single-item make_synthetic-cifar"):
        layouts.load(drawn, "cifar")


def test_cifar_as_image_folders(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 32, 32, 3), dtype=np.uint8)
    for label, name in enumerate(("apple", "bear", "cup")):
        for number, image in enumerate(pixels[label]):
            place = tmp_path / ("train" if number < 4 else "test") / name
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number}.png")
    found = image_folder.load(tmp_path, validation_fraction=0.25)
    assert found.images.shape == (18, 32, 32, 3) and found.classes == ("apple", "bear", "cup")
    counts = [found.class_counts(split).tolist() for split in ("train", "validation", "test")]
    assert counts == [[3, 3, 3], [1, 1, 1], [2, 2, 2]]
    assert (found.images[found.split == "test"][2] == pixels[1, 4]).all()


def test_reading_does_not_import_torch(folder: Path) -> None:
    code = (
        "import sys, pathlib; from cellar.data.readers import cifar100;"
        "cifar100.load(pathlib.Path(sys.argv[1]), 'any'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
