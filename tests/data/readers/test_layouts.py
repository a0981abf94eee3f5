"""load(): the layout of params.yaml chooses the reader; a missing path says what to get."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellar.config import Dataset
from cellar.data.readers import layouts
from cellar.errors import CellarError

DRAW = {"synthetic": {"seed": 1, "train": 84, "test": 77}}


def declare(path: Path, layout: str = "fer2013", source: dict[str, Any] = DRAW, **more: Any) -> Dataset:
    return Dataset.model_validate(
        {
            "enabled": True,
            "layout": layout,
            "path": str(path),
            "input_size": 48,
            "augmentation": "flip",
            "normalisation": "imagenet",
            "source": source,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("layout", "folder", "shape"),
    [
        ("fer2013", "fer2013", (231, 48, 48)),
        ("fer2013", "csv", (231, 48, 48)),
        ("raf_db", "raf_db", (197, 100, 100, 3)),
    ],
)
def test_layout_chooses_the_reader(drawn: Path, layout: str, folder: str, shape: tuple[int, ...]) -> None:
    assert layouts.load(declare(drawn / folder, layout)).images.shape == shape


def test_image_folders_and_fraction(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for split in ("train", "test"):
        shutil.copytree(drawn / "fer2013" / split, tmp_path / "mine" / split)  # DVC hashes nothing behind a link
    found = layouts.load(declare(tmp_path / "mine", "image_folder", validation_fraction=0.25))
    assert found.classes == ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert (found.split == "validation").sum() == 21  # a quarter of 84


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (DRAW, ["dvc repro --single-item make_synthetic-faces"]),
        ({"kaggle": "msambare/fer2013"}, ["cellar download faces", "msambare/fer2013"]),
        (
            {"url": "https://a.example/f.zip", "sha256": "0" * 64},
            ["cellar download faces", "https://a.example/f.zip"],
        ),
        ({"manual": "ask the authors\nof RAF-DB."}, ["ask the authors of RAF-DB; put it in"]),
    ],
)
def test_missing_path_says_what_to_get_and_where_to_put_it(
    tmp_path: Path, source: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(CellarError) as caught:
        layouts.load(declare(tmp_path / "nowhere", source=source), "faces")
    message = str(caught.value)
    assert "\n" not in message and f"{tmp_path / 'nowhere'} does not exist" in message
    assert [word for word in words if word not in message] == []


def test_readers_import_neither_torch_nor_pyarrow() -> None:
    code = (
        "import sys, cellar.data.readers.layouts, cellar.data.inputs.prepared, cellar.data.synthetic.sample;"
        "sys.exit(bool({'torch', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
