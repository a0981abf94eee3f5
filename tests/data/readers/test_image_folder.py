"""Anyone's image folders."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.data import images
from cellar.data.readers import image_folder
from cellar.errors import CellarError


def write_images(folder: Path, count: int, value: int, suffix: str = ".png", size: tuple[int, int] = (12, 10)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("L", size, value + number).save(folder / f"{number:02d}{suffix}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    for split, count in (("train", 10), ("test", 3)):
        write_images(root / split / "dog", count, 100)
        write_images(root / split / "cat", count, 20)
    return root


def test_grey_images_and_sorted_classes(folder: Path) -> None:
    found = image_folder.load(folder, validation_fraction=0.2)
    assert found.classes == ("cat", "dog")
    assert found.images.shape == (26, 10, 12)
    assert found.counts() == {
        "train": {"cat": 8, "dog": 8},
        "validation": {"cat": 2, "dog": 2},
        "test": {"cat": 3, "dog": 3},
    }
    assert ((found.images[:, 0, 0] >= 100) == (found.labels == 1)).all()


def test_own_validation_folder_is_taken_as_it_is(folder: Path) -> None:
    write_images(folder / "validation" / "cat", 1, 20)
    write_images(folder / "validation" / "dog", 2, 100)
    found = image_folder.load(folder)
    assert found.counts()["validation"] == {"cat": 1, "dog": 2} and found.counts()["train"] == {
        "cat": 10,
        "dog": 10,
    }


def test_one_colour_image_makes_the_set_rgb(folder: Path) -> None:
    Image.new("RGB", (12, 10), (200, 100, 50)).save(folder / "test" / "dog" / "02.png")
    found = image_folder.load(folder)
    assert found.images.shape == (26, 10, 12, 3)
    assert found.images[-1, 0, 0].tolist() == [200, 100, 50]
    assert (found.images[0, 0, 0] == found.images[0, 0, 0, 0]).all()


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".bmp", ".webp"])
def test_other_formats(folder: Path, suffix: str) -> None:
    write_images(folder / "test" / "cat", 1, 60, suffix)
    Path(folder / "test" / "cat" / f"00{suffix}").rename(folder / "test" / "cat" / f"zz{suffix}")
    found = image_folder.load(folder)
    assert abs(int(found.images[(found.split == "test") & (found.labels == 0)][-1].mean()) - 60) <= 2


def test_size_resizes(folder: Path) -> None:
    write_images(folder / "train" / "cat", 1, 20, size=(30, 31))
    assert image_folder.load(folder, size=8).images.shape == (26, 8, 8)


def odd_size(folder: Path) -> None:
    Image.new("L", (11, 10)).save(folder / "train" / "dog" / "04.png")


def lone_image(folder: Path) -> None:
    for file in sorted((folder / "train" / "dog").iterdir())[1:]:
        file.unlink()


def cut_png(folder: Path) -> None:
    file = folder / "test" / "cat" / "00.png"
    file.write_bytes(file.read_bytes()[:-20])


def flip_a_bit(folder: Path) -> None:
    file = folder / "test" / "cat" / "00.png"
    data = bytearray(file.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 1
    file.write_bytes(data)


def sixteen_bits(folder: Path) -> None:
    Image.fromarray(np.full((10, 12), 40_000, np.uint16)).save(folder / "test" / "cat" / "00.png")


def two_forms(folder: Path) -> None:
    for form in ("Zo\u00eb", "Zoe\u0308"):
        write_images(folder / "train" / form, 3, 20)


BROKEN: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "odd size": (odd_size, ["train/dog/04.png", "11x10", "12x10", "resize"]),
    "class missing from test": (lambda f: shutil.rmtree(f / "test" / "dog"), ["test/dog", "does not exist"]),
    "unknown class in test": (
        lambda f: (f / "test" / "dog").rename(f / "test" / "dgo"),
        ["test/dgo", "'dog'"],
    ),
    "classes of two cases": (
        lambda f: write_images(f / "train" / "Dog", 3, 20),
        ["Dog and dog", "letter case", "rename"],
    ),
    "classes of two Unicode forms": (two_forms, ["'Zoe\\u0308' and 'Zo\\xeb'", "Unicode form"]),
    "another case in test": (lambda f: (f / "test" / "dog").rename(f / "test" / "Dog"), ["Dog is train's dog"]),
    "no train": (lambda f: shutil.rmtree(f / "train"), ["train does not exist"]),
    "no test": (lambda f: shutil.rmtree(f / "test"), ["no test image"]),
    "one class": (lambda f: shutil.rmtree(f / "train" / "dog"), ["1 class folders"]),
    "too few to hold out": (lone_image, ["dog", "1 train image"]),
    "no image": (lambda f: (f / "train" / "cat" / "notes.txt").write_text("x"), ["notes.txt"]),
    "cut short": (cut_png, ["test/cat/00.png", "not a readable image"]),
    "flipped bit": (flip_a_bit, ["test/cat/00.png", "not a readable image"]),
    "16 bits": (sixteen_bits, ["test/cat/00.png", "8 bits"]),
    "missing": (shutil.rmtree, ["mine does not exist"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_folders_are_one_line(folder: Path, case: str) -> None:
    damage, words = BROKEN[case]
    damage(folder)
    with pytest.raises(CellarError) as caught:
        image_folder.load(folder)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_an_image_that_claims_too_many_pixels_is_not_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 119)
    with pytest.raises(CellarError, match="claims 12x10 pixels"):
        image_folder.load(folder)


def test_many_files_are_summed_up_by_folder() -> None:
    few = {f"a/{n}.png": "0" * 64 for n in range(3)}
    many = {f"{part}/{n:04d}.png": f"{n:064x}" for part in ("b", "a") for n in range(600)}
    assert images.summarise(few) == few
    assert list(images.summarise(many)) == ["a/", "b/"]
    changed = images.summarise(many | {"b/0007.png": "f" * 64})
    assert changed["a/"] == images.summarise(many)["a/"] and changed["b/"] != images.summarise(many)["b/"]
