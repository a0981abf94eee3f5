"""A folder a person: who is a class, which file is in which split, and what is refused in one line."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.config import Dataset
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import identity_folder, layouts
from cellar.data.synthetic.identities import write_pins
from cellar.errors import CellarError

EACH = 7


def paint(folder: Path, count: int, shade: int, suffix: str = ".png") -> None:
    """Images whose red says who it is and whose green says which one it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (30 + number, 36), (shade, number, 0)).save(folder / f"a {number}{suffix}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three persons in the published layout, the folder around them given."""
    for shade, name in ((10, "pins_Zoe Zed"), (20, "pins_Ann Lee"), (30, "pins_bob")):
        paint(tmp_path / "pins" / identity_folder.PINS / name, EACH, shade)
    return tmp_path / "pins"


def load(folder: Path, seed: int = 0) -> ImageSet:
    return identity_folder.load(folder, 8, train_per_class=3, validation_per_class=1, split_seed=seed)


def test_names_splits_and_pixels(folder: Path) -> None:
    found = load(folder)
    assert found.classes == ("Ann Lee", "Zoe Zed", "bob")
    assert found.images.shape == (21, 8, 8, 3) and found.images.dtype == np.uint8
    assert [found.class_counts(split).tolist() for split in ("train", "validation", "test")] == [
        [3] * 3,
        [1] * 3,
        [3] * 3,
    ]
    assert found.split.tolist() == ["train"] * 9 + ["validation"] * 3 + ["test"] * 9
    shades = {"Ann Lee": 20, "Zoe Zed": 10, "bob": 30}
    for image, label, file in zip(found.images, found.labels, found.files, strict=True):
        assert image[4, 4].tolist() == [shades[found.classes[label]], int(file.removesuffix(".png")[2:]), 0]


def test_the_path_may_be_the_folder_itself_or_one_around_it(folder: Path) -> None:
    inner = folder / identity_folder.PINS
    same = load(inner)
    assert same.files == load(folder).files and same.sources == load(folder).sources
    inner.rename(folder / "faces")
    assert load(folder).files == same.files


def test_others_do_not_change_who_is_in_which_split(folder: Path) -> None:
    before = load(folder).files_by_split()
    paint(folder / identity_folder.PINS / "pins_Abe", EACH + 3, 40)
    shutil.rmtree(folder / identity_folder.PINS / "pins_bob")
    after = load(folder).files_by_split()
    for split in ("train", "validation", "test"):
        assert list(after[split]) == ["Abe", "Ann Lee", "Zoe Zed"]
        assert after[split]["Ann Lee"] == before[split]["Ann Lee"]
        assert after[split]["Zoe Zed"] == before[split]["Zoe Zed"]


def test_order_on_the_disk_does_not_matter(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for file in sorted(folder.rglob("*.png"), reverse=True):
        (copy / file.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / file.relative_to(folder))
    assert load(copy).files == load(folder).files and (load(copy).images == load(folder).images).all()


def test_another_seed_deals_anew_and_persons_differ(folder: Path) -> None:
    dealt = {seed: load(folder, seed).files_by_split() for seed in range(6)}
    assert len({json.dumps(d) for d in dealt.values()}) == 6
    assert any(d["train"]["Ann Lee"] != d["train"]["bob"] for d in dealt.values())


def test_without_validation_the_rest_is_test(folder: Path) -> None:
    found = identity_folder.load(folder, 8, train_per_class=EACH - 1)
    assert found.counts() == {s: dict.fromkeys(found.classes, n) for s, n in (("train", EACH - 1), ("test", 1))}


def test_images_are_resized_whole_as_pillow_does(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(256, size=(40, 33, 3), dtype=np.uint8)
    file = folder / identity_folder.PINS / "pins_bob" / "a 0.png"
    Image.fromarray(noise).save(file)
    found = load(folder)
    row = next(i for i, f in enumerate(found.files) if f == "a 0.png" and found.classes[found.labels[i]] == "bob")
    assert (found.images[row] == np.asarray(Image.open(file).resize((8, 8)))).all()


def test_the_manifest_names_every_file_of_every_split(folder: Path, tmp_path: Path) -> None:
    found = load(folder)
    prepared.save(found, tmp_path / "p", dataset="pins", layout="identity_folder")
    manifest = json.loads((tmp_path / "p" / "manifest.json").read_text())
    assert manifest["files"] == found.files_by_split()
    persons = folder / identity_folder.PINS
    for name in found.classes:
        listed = sorted(file for split in manifest["files"].values() for file in split[name])
        assert listed == sorted(file.name for file in (persons / f"pins_{name}").iterdir())
    again = prepared.load(tmp_path / "p")
    assert again.files == found.files
    first = persons / "pins_Ann Lee" / "a 0.png"
    assert manifest["sources"]["pins_Ann Lee/a 0.png"] == hashlib.sha256(first.read_bytes()).hexdigest()


@pytest.mark.parametrize("spoil", ["fewer", "other class", "no object"])
def test_a_manifest_whose_files_are_not_the_rows_is_refused(folder: Path, tmp_path: Path, spoil: str) -> None:
    prepared.save(load(folder), tmp_path / "p", dataset="pins", layout="identity_folder")
    path = tmp_path / "p" / "manifest.json"
    manifest = json.loads(path.read_text())
    if spoil == "fewer":
        manifest["files"]["train"]["bob"].pop()
    elif spoil == "other class":
        manifest["files"]["train"]["bob"].append(manifest["files"]["train"]["Ann Lee"].pop())
    else:
        manifest["files"] = 3
    path.write_text(json.dumps(manifest))
    with pytest.raises(CellarError, match="disagree"):
        prepared.load(tmp_path / "p")


def empty(persons: Path) -> None:
    shutil.rmtree(persons / "pins_bob")
    (persons / "pins_bob").mkdir()


def cut(persons: Path) -> None:
    """A JPEG cut in its middle, in the test split or not."""
    file = persons / "pins_bob" / "a 2.jpg"
    Image.fromarray(np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lone(persons: Path) -> None:
    for name in ("pins_bob", "pins_Ann Lee"):
        shutil.rmtree(persons / name)


BROKEN: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "cut short": (cut, ["pins_bob/a 2.jpg", "not a readable image", "truncated"]),
    "no image inside": (lambda p: (p / "pins_bob" / "a 3.png").write_text("<html>"), ["pins_bob/a 3.png is a web page"]),
    "too few": (lambda p: [(p / "pins_bob" / f"a {n}.png").unlink() for n in range(3)], ["1 of 3 persons has fewer than 5 images (bob 4)", "min_per_class: 5"]),
    "two of one case": (lambda p: paint(p / "pins_Bob", EACH, 3), ["pins_Bob and pins_bob", "one person"]),
    "with and without pins_": (lambda p: paint(p / "bob", EACH, 3), ["bob and pins_bob", "one person"]),
    "no image by name": (lambda p: (p / "pins_bob" / "notes.txt").write_text("x"), ["pins_bob/notes.txt", "no image by its name"]),
    "an image beside the persons": (lambda p: paint(p, 1, 3), ["a 0.png is in no class folder", "move it into one"]),
    "a folder in it": (lambda p: (p / "pins_bob" / "more").mkdir(), ["pins_bob/more", "no image by its name"]),
    "empty": (empty, ["1 of 3 persons has fewer than 5 images (bob 0)"]),
    "one person": (lone, ["1 folders of persons", "at least 2"]),
    "nobody": (lambda p: [shutil.rmtree(f) for f in p.iterdir()], ["0 folders of persons"]),
    "missing": (lambda p: shutil.rmtree(p.parent), ["pins does not exist"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_folders_are_one_line(folder: Path, case: str) -> None:
    damage, words = BROKEN[case]
    damage(folder / identity_folder.PINS)
    with pytest.raises(CellarError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def test_thirty_two_train_images_need_thirty_three(tmp_path: Path) -> None:
    for name, count in (("pins_a", 33), ("pins_b", 32)):
        paint(tmp_path / name, count, 50)
    with pytest.raises(CellarError, match=r"1 of 2 persons has fewer than 33 images \(b 32\)"):
        identity_folder.load(tmp_path, 8, 32)
    paint(tmp_path / "pins_b", 33, 50)
    assert identity_folder.load(tmp_path, 8, 32).counts()["test"] == {"a": 1, "b": 1}


def test_persons_with_few_images_are_named_together_or_left_out(folder: Path, tmp_path: Path) -> None:
    for number in range(9):
        paint(folder / identity_folder.PINS / f"pins_Cy {number}", 1 + number % 2, 50)
    with pytest.raises(CellarError) as caught:
        load(folder)
    assert str(caught.value).endswith(
        "9 of 12 persons have fewer than 5 images (Cy 0 1, Cy 1 2, Cy 2 1, …); add images, or set min_per_class: 5 in "
        "params.yaml to leave them out"
    )
    found = identity_folder.load(folder, 8, 3, 1, min_per_class=6)
    assert found.classes == ("Ann Lee", "Zoe Zed", "bob") and len(found) == 21
    prepared.save(found, tmp_path / "p", dataset="pins", layout="identity_folder")
    manifest = json.loads((tmp_path / "p" / "manifest.json").read_text())
    assert manifest["remarks"] == ["9 of 12 persons have fewer than 6 images (Cy 0 1, Cy 1 2, Cy 2 1, …): left out"]
    assert prepared.load(tmp_path / "p").files == found.files
    with pytest.raises(CellarError, match="fewer than two are left; lower min_per_class"):
        identity_folder.load(folder, 8, 3, 1, min_per_class=EACH + 1)


def test_one_person_in_two_unicode_forms_is_refused(folder: Path) -> None:
    for name in ("pins_Zo\u00eb", "pins_Zoe\u0308"):
        paint(folder / identity_folder.PINS / name, EACH, 3)
    with pytest.raises(CellarError, match=r"'pins_Zoe\\u0308' and 'pins_Zo\\xeb' are folders of one person"):
        load(folder)


def declare(path: Path, **more: object) -> Dataset:
    known = {"enabled": True, "layout": "identity_folder", "path": str(path), "input_size": 16, "augmentation": "flip"}
    source = {"synthetic": {"seed": 4, "identities": 2, "per_identity": 5}}
    return Dataset.model_validate(known | {"normalisation": "unit", "source": source} | more)


def test_the_layout_reads_what_is_drawn_for_it(tmp_path: Path) -> None:
    write_pins(tmp_path / "pins", seed=4, identities=2, per_identity=5)
    found = layouts.load(declare(tmp_path / "pins", train_per_class=3, validation_per_class=1, split_seed=2))
    assert found.images.shape == (10, 16, 16, 3)
    assert found.files_by_split() == identity_folder.load(tmp_path / "pins", 16, 3, 1, 2).files_by_split()


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no split": ({}, "needs train_per_class and validation_per_class"),
    "half a split": ({"train_per_class": 3}, "needs train_per_class and validation_per_class"),
    "another layout": (
        {"layout": "image_folder", "source": {"manual": "x"}, "train_per_class": 3},
        "train_per_class serves layout identity_folder only",
    ),
    "too few to keep": (
        {"train_per_class": 3, "validation_per_class": 1, "min_per_class": 4},
        "is 4, but the splits need 5",
    ),
    "too few drawn": ({"train_per_class": 4, "validation_per_class": 1}, "per_identity is 5, but the splits need 6"),
    "drawn as another": (
        {
            "train_per_class": 3,
            "validation_per_class": 0,
            "source": {"synthetic": {"seed": 1, "train": 80, "test": 80}},
        },
        "identity_folder needs identities and per_identity",
    ),
    "drawn as this": ({"layout": "raf_db"}, "raf_db needs train and test"),
    "drawn both ways": (
        {"source": {"synthetic": {"seed": 1, "train": 80, "test": 80, "identities": 2, "per_identity": 5}}},
        "say either train and test",
    ),
    "drawn by half": ({"source": {"synthetic": {"seed": 1, "identities": 2}}}, "say either train and test"),
}


@pytest.mark.parametrize("case", WRONG)
def test_contradictions_in_the_parameters_are_named(tmp_path: Path, case: str) -> None:
    more, words = WRONG[case]
    with pytest.raises(ValueError, match=words):
        declare(tmp_path, **more)
