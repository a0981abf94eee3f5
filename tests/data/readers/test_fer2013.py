"""Both published layouts of FER2013, and what is said of files unlike them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.data.faces import EMOTIONS
from cellar.data.readers import fer2013
from cellar.errors import CellarError

SIZES = {"train": 84, "validation": 70, "test": 77}


def write_row_images(folder: Path, name: str, value: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("L", (48, 48), value).save(folder / name, quality=95)


def test_both_layouts_hold_the_same_set(drawn: Path) -> None:
    folders, table = fer2013.load(drawn / "fer2013"), fer2013.load(drawn / "csv")
    assert folders.counts() == table.counts()
    assert {split: sum(counts.values()) for split, counts in table.counts().items()} == SIZES
    assert folders.images.shape == table.images.shape == (231, 48, 48)
    assert folders.images.dtype == np.uint8 and folders.labels.dtype == np.int64
    assert (folders.labels == table.labels).all() and (folders.split == table.split).all()
    difference = np.abs(folders.images.astype(int) - table.images)  # JPEG's losses, row by row the same picture
    assert difference.mean(axis=(1, 2)).max() < 10


def test_csv_may_be_named_itself(drawn: Path) -> None:
    assert fer2013.load(drawn / "csv" / "fer2013.csv").counts() == fer2013.load(drawn / "csv").counts()


def test_every_emotion_folder_gets_its_place(tmp_path: Path) -> None:
    order = ("happy", "surprise", "sad", "angry", "disgust", "fear", "neutral")
    for place, name in enumerate(order):
        write_row_images(tmp_path / "train" / name, f"Training_{place}.jpg", 10 + 30 * place)
        write_row_images(tmp_path / "test" / name, f"PublicTest_{place}.jpg", 0)
        write_row_images(tmp_path / "test" / name, f"PrivateTest_{place}.jpg", 255)
    found = fer2013.load(tmp_path)
    assert found.classes == EMOTIONS == ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")
    assert found.labels[:7].tolist() == list(range(7))
    assert found.images[:7].mean(axis=(1, 2)).round().tolist() == [10 + 30 * place for place in range(7)]
    assert found.split.tolist() == ["train"] * 7 + ["validation"] * 7 + ["test"] * 7
    assert (found.images[7:14] == 0).all() and (found.images[14:] == 255).all()


def test_every_csv_code_gets_its_place(tmp_path: Path) -> None:
    rows = [
        f"{code},{' '.join([str(code)] * 2304)},{usage}"
        for usage in ("PrivateTest", "Training", "PublicTest")
        for code in range(7)
    ]
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    found = fer2013.load(tmp_path)
    # the csv: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral
    assert found.labels[:7].tolist() == [3, 4, 5, 0, 2, 1, 6]
    assert found.images[:7, 0, 0].tolist() == list(range(7))
    assert found.split.tolist() == ["train"] * 7 + ["validation"] * 7 + ["test"] * 7


def test_rows_do_not_depend_on_the_file_system(fer_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for file in sorted(fer_folder.rglob("*.jpg"), reverse=True):
        target = other / file.relative_to(fer_folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    (other / "train" / "happy" / ".DS_Store").write_bytes(b"left behind")
    first, second = fer2013.load(fer_folder), fer2013.load(other)
    assert (first.images == second.images).all() and first.sources == second.sources


def drop_class(folder: Path) -> None:
    for file in (folder / "test" / "disgust").glob("PublicTest_*"):
        file.unlink()


def drop_split(folder: Path) -> None:
    for file in (folder / "test").rglob("PublicTest_*"):
        file.unlink()


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def rename_first(folder: Path, pattern: str, name: str) -> None:
    file = first(folder, pattern)
    file.rename(file.with_name(name))


def cut_short(folder: Path) -> None:
    file = first(folder, "train/sad/*.jpg")
    file.write_bytes(file.read_bytes()[:400])


BROKEN_FOLDERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "folder misspelt": (lambda f: (f / "train/happy").rename(f / "train/hapy"), ["train/hapy", "'happy'"]),
    "file named otherwise": (lambda f: rename_first(f, "train/fear/*", "me.jpg"), ["me.jpg", "Training_"]),
    "number without end": (
        lambda f: rename_first(f, "train/fear/*", f"Training_{'9' * 30}.jpg"),
        ["train/fear/Training_999"],
    ),
    "leaked into train": (
        lambda f: rename_first(f, "train/fear/*", "PrivateTest_9.jpg"),
        ["train/fear/PrivateTest_9.jpg"],
    ),
    "no test": (lambda f: shutil.rmtree(f / "test"), ["test does not exist"]),
    "class empty": (drop_class, ["disgust", "validation"]),
    "split empty": (drop_split, ["no validation image"]),
    "not an image": (lambda f: first(f, "test/sad/*").write_text("x"), ["test/sad", "not a readable image"]),
    "cut short": (cut_short, ["train/sad", "not a readable image"]),
    "wrong size": (
        lambda f: Image.new("L", (50, 47)).save(first(f, "test/angry/*")),
        ["test/angry", "50x47", "48x48"],
    ),
}


@pytest.mark.parametrize("case", BROKEN_FOLDERS)
def test_broken_folders_are_one_line(fer_folder: Path, case: str) -> None:
    damage, words = BROKEN_FOLDERS[case]
    damage(fer_folder)
    with pytest.raises(CellarError) as caught:
        fer2013.load(fer_folder)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


def edit(row: int, change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], None]:
    """Change the fields of one row; row 0 is the header."""

    def apply(lines: list[str]) -> None:
        lines[row] = ",".join(change(lines[row].split(",")))

    return apply


def pixel(text: str) -> Callable[[list[str]], list[str]]:
    return lambda fields: [fields[0], " ".join([text, *fields[1].split()[1:]]), fields[2]]


def drop_validation_disgust(lines: list[str]) -> None:
    lines[:] = [line for line in lines if not (line.startswith("1,") and line.endswith("PublicTest"))]


BROKEN_CSV: dict[str, tuple[Callable[[list[str]], None], list[str]]] = {
    "pixels short": (edit(5, lambda f: [f[0], f[1].rsplit(" ", 1)[0], f[2]]), ["row 5", "2303", "2304"]),
    "pixels long": (edit(5, lambda f: [f[0], f[1] + " 7", f[2]]), ["row 5", "2305", "2304"]),
    "field missing": (edit(6, lambda f: f[:2]), ["row 6", "2 fields"]),
    "field too many": (edit(6, lambda f: [*f, "x"]), ["row 6", "4 fields"]),
    "pixel a word": (edit(7, pixel("red")), ["row 7", "'red'"]),
    "pixel a fraction": (edit(7, pixel("1.5")), ["row 7", "'1.5'"]),
    "pixel negative": (edit(7, pixel("-1")), ["row 7", "'-1'"]),
    "pixel too large": (edit(7, pixel("256")), ["row 7", "'256'"]),
    "unknown emotion": (edit(8, lambda f: ["7", *f[1:]]), ["row 8", "'7'", "0 to 6"]),
    "unknown Usage": (edit(9, lambda f: [*f[:2], "Trainin"]), ["row 9", "'Trainin'", "'Training'"]),
    "wrong header": (edit(0, lambda f: ["label", *f[1:]]), ["label,pixels,Usage", "emotion,pixels,Usage"]),
    "class empty": (drop_validation_disgust, ["disgust", "validation"]),
    "header only": (lambda lines: lines.__delitem__(slice(1, None)), ["no train image"]),
    "nothing": (lambda lines: lines.clear(), ["empty file"]),
}


@pytest.mark.parametrize("case", BROKEN_CSV)
def test_broken_csv_is_one_line(fer_csv: Path, case: str) -> None:
    damage, words = BROKEN_CSV[case]
    lines = fer_csv.read_text().splitlines()
    damage(lines)
    fer_csv.write_text("\n".join(lines))
    with pytest.raises(CellarError) as caught:
        fer2013.load(fer_csv)
    assert "\n" not in str(caught.value)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("content", [b"emotion,pixels,Usage\n\xff\xfe,1,Training\n", b"\x00\x01\x02", b"emotion"])
def test_bytes_that_are_no_csv(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(CellarError, match=r"fer2013\.csv"):
        fer2013.load(tmp_path)


def test_missing_or_empty_path_says_what_to_get(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="msambare/fer2013"):
        fer2013.load(tmp_path / "nowhere")
    with pytest.raises(CellarError, match=r"neither train/ and test/ nor fer2013\.csv"):
        fer2013.load(tmp_path)
