"""Data sets in the forms in which people have them: other tables, class folders, archives left packed, folders around."""

import csv
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cellar.data.inputs.prepared import ImageSet
from cellar.data.readers import cifar100, fer2013, identity_folder, image_folder, raf_db
from cellar.data.synthetic import objects
from cellar.errors import CellarError

Rows = list[list[str]]


def same(found: ImageSet, expected: ImageSet) -> bool:
    arrays = [(found.images, expected.images), (found.labels, expected.labels), (found.split, expected.split)]
    return all(np.array_equal(one, other) for one, other in arrays) and found.classes == expected.classes


@pytest.fixture(scope="session")
def rows(drawn: Path) -> Rows:
    """The rows of a fer2013.csv: emotion, pixels, Usage; the header is left out."""
    with (drawn / "csv/fer2013.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def pack_tar(source: Path, archive: Path, name: str) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as members:
        members.add(source, name)


def pack_zip(source: Path, archive: Path, name: str) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("__MACOSX/._fer2013.csv", b"left behind")
        members.write(source, name)


def write_icml(folder: Path, rows: Rows) -> None:
    lines = ["emotion, Usage, pixels", *(f"{code}, {usage},{pixels}" for code, pixels, usage in rows)]
    (folder / "icml_face_data.csv").write_text("\n".join(lines) + "\n")


def write_competition(folder: Path, rows: Rows) -> None:
    """As it is downloaded: parts of the table beside the archive of the whole."""
    write_icml(folder, rows)
    (folder / "icml_face_data.csv").rename(folder / "fer2013.csv")
    pack_tar(folder / "fer2013.csv", folder / "fer2013.tar.gz", "fer2013/fer2013.csv")
    (folder / "fer2013.csv").unlink()
    (folder / "train.csv").write_text("emotion,pixels\n" + "".join(f"{code},{pixels}\n" for code, pixels, _ in rows))
    (folder / "test.csv").write_text("pixels\n" + "".join(f"{pixels}\n" for _, pixels, _ in rows))
    (folder / "example_submission.csv").write_text("emotion\n0\n")


def write_semicolons(folder: Path, rows: Rows) -> None:
    lines = ['"Usage";"emotion";"pixels"', *(f'"{usage}";"{code}";"{pixels}"' for code, pixels, usage in rows)]
    (folder / "my faces.csv").write_text("\n".join(lines))


def write_tabs(folder: Path, rows: Rows) -> None:
    lines = [
        "\tpixels\tEmotion\tusage",
        *(f"{n}\t{pixels}\t{code}\t{usage}" for n, (code, pixels, usage) in enumerate(rows)),
    ]
    (folder / "fer.tsv").write_text("\ufeff" + "\r\n".join(lines))


def write_blank_lines(folder: Path, rows: Rows) -> None:
    lines = ["emotion,pixels,Usage", *(",".join(row) for row in rows), "", "  ", ",,", ""]
    (folder / "fer2013.csv").write_text("\n".join(lines))


def write_empty_ends(folder: Path, rows: Rows) -> None:
    """A spreadsheet's: a row that had a note, since removed, keeps its commas."""
    lines = ["emotion,pixels,Usage", *(",".join(row) + ",," * (n % 2) for n, row in enumerate(rows))]
    (folder / "fer2013.csv").write_text("\n".join(lines))


def write_one_down(folder: Path, rows: Rows) -> None:
    (folder / "archive/fer2013").mkdir(parents=True)
    write_blank_lines(folder / "archive/fer2013", rows)


def write_zip_under_csv(folder: Path, rows: Rows) -> None:
    write_blank_lines(folder, rows)
    (folder / "fer2013.csv").rename(folder / "plain")
    pack_zip(folder / "plain", folder / "fer2013.csv", "fer2013.csv")


def write_zip(folder: Path, rows: Rows) -> None:
    write_icml(folder, rows)
    pack_zip(folder / "icml_face_data.csv", folder / "challenges.zip", "icml_face_data.csv")
    (folder / "icml_face_data.csv").unlink()


FORMS: list[Callable[[Path, Rows], None]] = [
    write_icml, write_competition, write_semicolons, write_tabs, write_blank_lines, write_empty_ends, write_one_down, write_zip,
    write_zip_under_csv,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_fer2013s_table_in_other_forms(
    drawn: Path, tmp_path: Path, rows: Rows, form: Callable[[Path, Rows], None]
) -> None:
    form(tmp_path, rows)
    assert same(fer2013.load(tmp_path), fer2013.load(drawn / "csv"))


def test_a_file_of_any_name_may_be_the_path(drawn: Path, tmp_path: Path, rows: Rows) -> None:
    write_semicolons(tmp_path, rows)
    write_icml(tmp_path, rows)
    for name in ("my faces.csv", "icml_face_data.csv"):
        assert same(fer2013.load(tmp_path / name), fer2013.load(drawn / "csv"))


def test_what_is_unpacked_comes_before_what_is_packed(drawn: Path, tmp_path: Path, rows: Rows) -> None:
    write_competition(tmp_path, rows)
    (tmp_path / "fer2013.tar.gz").write_bytes(b"\x1f\x8bbroken")
    shutil.copytree(drawn / "csv", tmp_path / "fer2013")
    assert same(fer2013.load(tmp_path), fer2013.load(drawn / "csv"))


def test_a_table_with_a_part_of_the_columns_is_named_with_what_it_lacks(tmp_path: Path, rows: Rows) -> None:
    write_competition(tmp_path, rows)
    (tmp_path / "fer2013.tar.gz").unlink()
    with pytest.raises(
        CellarError, match=r"example_submission\.csv lacks pixels and Usage.*train\.csv lacks Usage; put"
    ):
        fer2013.load(tmp_path)
    with pytest.raises(CellarError, match=r"train\.csv begins with 'emotion,pixels'.* it lacks Usage;"):
        fer2013.load(tmp_path / "train.csv")


def test_two_tables_are_both_named(tmp_path: Path, rows: Rows) -> None:
    write_semicolons(tmp_path, rows)
    write_tabs(tmp_path, rows)
    with pytest.raises(CellarError, match=r"both in fer\.tsv and my faces\.csv; give one as path"):
        fer2013.load(tmp_path)


WEB = {
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n",
        "is a git-LFS pointer.*git lfs pull",
    ),
    "page": (b"\n<!DOCTYPE html><title>Sign in</title>", "is a web page.*log in"),
    "empty": (b"", "is an empty file"),
    "rar": (b"Rar!\x1a\x07\x00", "cannot be read|archive"),
}


@pytest.mark.parametrize("case", WEB)
def test_what_web_sites_give_in_place_of_a_file(drawn: Path, tmp_path: Path, case: str) -> None:
    content, words = WEB[case]
    shutil.copytree(drawn / "raf_db", tmp_path / "raf")
    shutil.copytree(drawn / "fer2013", tmp_path / "fer")
    image = sorted((tmp_path / "fer/train/sad").iterdir())[0]
    objects.write_cifar100(tmp_path / "cifar", 3, 200, 100)
    (tmp_path / "csv").mkdir()
    places: dict[Path, Callable[[], Any]] = {
        tmp_path / "csv/fer2013.csv": lambda: fer2013.load(tmp_path / "csv"),
        tmp_path / "raf/EmoLabel/list_patition_label.txt": lambda: raf_db.load(tmp_path / "raf"),
        image: lambda: fer2013.load(tmp_path / "fer"),
        tmp_path / "cifar/meta": lambda: cifar100.load(tmp_path / "cifar", "any"),
    }
    for place, load in places.items():
        place.write_bytes(content)
        with pytest.raises(CellarError, match=words) as caught:
            load()
        assert str(place) in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture
def mirror(drawn: Path, tmp_path: Path) -> Path:
    """RAF-DB's images in class folders, with both csv beside them."""
    root, listed = tmp_path / "raf_db", {"train": "image,label\n", "test": "image,label\n"}
    for line in (drawn / "raf_db/EmoLabel/list_patition_label.txt").read_text().splitlines():
        name, code = line.removesuffix("\n").split()
        part, file = name.partition("_")[0], f"{name.removesuffix('.jpg')}_aligned.jpg"
        target = root / "DATASET" / part / code / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(drawn / "raf_db/Image/aligned" / file, target)
        listed[part] += f"{file},{code}\n"
    for part, text in listed.items():
        (root / f"{part}_labels.csv").write_text(text)
    return root


def test_raf_db_in_class_folders_is_the_same_set(drawn: Path, mirror: Path) -> None:
    expected = raf_db.load(drawn / "raf_db", 0.2, 3)
    assert same(raf_db.load(mirror, 0.2, 3), expected)
    assert same(raf_db.load(mirror / "DATASET", 0.2, 3), expected)
    for part in ("train", "test"):
        (mirror / f"{part}_labels.csv").unlink()
    assert same(raf_db.load(mirror, 0.2, 3), expected)


def test_the_authors_folder_around(drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn / "raf_db", tmp_path / "RAF-DB/basic")
    assert same(raf_db.load(tmp_path), raf_db.load(drawn / "raf_db"))


def move_first(mirror: Path) -> None:
    file = sorted((mirror / "DATASET/train/1").iterdir())[0]
    file.rename(mirror / "DATASET/train/2" / file.name)


def remove_first(mirror: Path) -> None:
    sorted((mirror / "DATASET/test/3").iterdir())[0].unlink()


def add_row(text: str) -> Callable[[Path], None]:
    def apply(mirror: Path) -> None:
        with (mirror / "train_labels.csv").open("a") as file:
            file.write(text)

    return apply


def name_all(mirror: Path) -> None:
    for folder in mirror.glob("DATASET/*/*"):
        folder.rename(folder.with_name(f"emotion_{folder.name}"))


BROKEN_MIRROR: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "csv says otherwise": (move_first, ["DATASET/train/2/train_", "is in class 2, but", "train_labels.csv says 1"]),
    "image missing": (remove_first, ["test_labels.csv lists 1 images that are in no folder", "test_"]),
    "label 8": (add_row("x.jpg,8\n"), ["train_labels.csv, row 121: label '8'", "1 to 7"]),
    "row cut": (add_row("x.jpg\n"), ["train_labels.csv, row 121"]),
    "other header": (lambda m: (m / "test_labels.csv").write_text("name;class\n"), ["test_labels.csv has the columns", "image and label"]),
    "class 8": (lambda m: (m / "DATASET/train/8").mkdir(), ["DATASET/train/8 is no class of RAF-DB"]),
    "classes by name": (name_all, ["DATASET has train/ or test/", "1 to 7", "layout: image_folder"]),
    "no test": (lambda m: shutil.rmtree(m / "DATASET/test"), ["DATASET/test does not exist"]),
    "another split": (lambda m: (m / "DATASET/valid").mkdir(), ["DATASET/valid is no folder of RAF-DB"]),
    "loose image": (lambda m: Image.new("RGB", (100, 100)).save(m / "DATASET/train/x.jpg"), ["train/x.jpg is in no class folder"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN_MIRROR)
def test_class_folders_unlike_rafdb_are_one_line(mirror: Path, case: str) -> None:
    damage, words = BROKEN_MIRROR[case]
    damage(mirror)
    with pytest.raises(CellarError) as caught:
        raf_db.load(mirror)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects") / "cifar-100-python"
    objects.write_cifar100(folder, 3, 200, 100)
    return folder


def load_cifar(path: Path) -> ImageSet:
    return cifar100.load(path, "any", validation_fraction=0.5)


@pytest.mark.parametrize("inner", ["cifar-100-python", ".", "x/y"])
def test_cifar100_left_packed(cifar: Path, tmp_path: Path, inner: str) -> None:
    archive = tmp_path / "raw/dataset/cifar-100-python.tar.gz"
    pack_tar(cifar, archive, inner)
    expected = load_cifar(cifar)
    assert all(same(load_cifar(path), expected) for path in (archive, archive.parent, tmp_path))
    assert sorted(path.name for path in archive.parent.iterdir()) == [archive.name], "nothing is unpacked"
    shutil.copytree(cifar, archive.parent / "cifar-100-python")
    archive.write_bytes(b"\x1f\x8bbroken")
    assert same(load_cifar(archive.parent), expected), "what is unpacked comes first"


def test_checksums_are_those_of_the_files_in_the_archive(cifar: Path, tmp_path: Path) -> None:
    pack_tar(cifar, tmp_path / "cifar-100-python.tar.gz", "cifar-100-python")
    with pytest.raises(
        CellarError, match=r"tar\.gz/train has md5 .*, the published one 16019d7e3df5f24257cddd939b257f8d"
    ):
        cifar100.load(tmp_path)


def test_archives_that_are_not_whole_or_not_cifar100s(cifar: Path, tmp_path: Path) -> None:
    archive = tmp_path / "cifar-100-python.tar.gz"
    pack_tar(cifar / "meta", archive, "cifar-100-python/meta")
    with pytest.raises(CellarError, match=r"holds no file train or test; get cifar-100-python\.tar\.gz"):
        load_cifar(tmp_path)
    pack_tar(cifar, archive, "cifar-100-python")
    archive.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(CellarError, match=r"cifar-100-python\.tar\.gz cannot be read .*; get it again"):
        load_cifar(tmp_path)
    archive.write_bytes(b"<html>")
    with pytest.raises(CellarError, match=r"cifar-100-python\.tar\.gz is a web page"):
        load_cifar(tmp_path)


def paint(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("L", (8, 8), 20 * number).save(folder / f"{number}.png")


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    root = tmp_path / "mine"
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            paint(root / split / name, 10)
    return root


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev", "Val"])
def test_other_names_of_validation_are_taken(splits: Path, name: str) -> None:
    for class_name in ("cat", "dog"):
        paint(splits / name / class_name, 3)
    assert image_folder.load(splits).counts() == {
        "train": {"cat": 10, "dog": 10},
        "validation": {"cat": 3, "dog": 3},
        "test": {"cat": 10, "dog": 10},
    }


def test_folders_that_are_no_split_or_one_twice_are_named(splits: Path) -> None:
    (splits / "holdout").mkdir()
    with pytest.raises(
        CellarError, match=r"mine/holdout is no folder of a split, known: train, .*; rename it, or take it out"
    ):
        image_folder.load(splits)
    (splits / "holdout").rename(splits / "valid")
    (splits / "val").mkdir()
    with pytest.raises(CellarError, match=r"has both val/ and valid/ for validation; make them one"):
        image_folder.load(splits)


def test_a_set_with_val_but_no_test_says_what_it_has(splits: Path) -> None:
    (splits / "test").rename(splits / "val")
    with pytest.raises(CellarError, match=r"has no test image: it has train/ and val/ only"):
        image_folder.load(splits)


def test_an_image_of_no_class_is_named(splits: Path) -> None:
    shutil.copyfile(splits / "train/cat/0.png", splits / "train/stray.png")
    with pytest.raises(CellarError, match=r"train/stray\.png is in no class folder"):
        image_folder.load(splits)


def test_one_or_two_folders_around_every_layout(drawn: Path, splits: Path, cifar: Path, tmp_path: Path) -> None:
    readers: list[tuple[Path, Callable[[Path], ImageSet]]] = [
        (splits, image_folder.load),
        (drawn / "fer2013", fer2013.load),
        (drawn / "csv", fer2013.load),
        (drawn / "raf_db", raf_db.load),
        (cifar, load_cifar),
        (splits / "train", lambda path: identity_folder.load(path, 8, 3)),
    ]
    for number, (folder, load) in enumerate(readers):
        expected = load(folder)
        for depth in ("archive", "archive/inner"):
            around = tmp_path / f"{number}" / depth.replace("/", "_")
            shutil.copytree(folder, around / depth)
            (around / "__MACOSX" / "archive").mkdir(parents=True)
            assert same(load(around), expected)
        shutil.copytree(folder, around / "archive" / "other")
        with pytest.raises(
            CellarError, match=r"holds a data set both in .*/archive/inner and in .*/archive/other; give one"
        ):
            load(around)


@pytest.mark.parametrize(
    "load", [image_folder.load, fer2013.load, raf_db.load, load_cifar, lambda p: identity_folder.load(p, 8, 3)]
)
def test_images_left_packed_are_named_with_the_command(
    splits: Path, tmp_path: Path, load: Callable[[Path], ImageSet]
) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    shutil.make_archive(str(folder / "archive"), "zip", splits)
    with pytest.raises(
        CellarError, match=r"archive\.zip is left packed; unpack it there: cd .*/packed && unzip archive\.zip"
    ):
        load(folder)
