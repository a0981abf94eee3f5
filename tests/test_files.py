"""Numbers as CSV: the bytes of pandas, and back. Arrays as .npz: the same bytes by every release of Python. Code."""

import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellar import files, paths
from cellar.errors import CellarError

ROWS = [
    {"epoch": 1, "train_loss": 1.23456789, "validation_loss": math.nan, "learning_rate": 1e-9, "chosen": 0},
    {"epoch": 2, "train_loss": 1e7, "validation_loss": -0.5, "learning_rate": 0.05, "chosen": 1},
]


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]])
def test_csv_has_the_bytes_of_pandas(rows: list[dict[str, float]], tmp_path: Path) -> None:
    files.write_csv(tmp_path / "ours.csv", rows)
    pd.DataFrame(rows).to_csv(tmp_path / "pandas.csv", index=False, float_format="%.6f")
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "pandas.csv").read_bytes()


def test_csv_is_read_back_to_the_sixth_decimal(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "history.csv", ROWS)
    back = files.read_csv(tmp_path / "history.csv")
    assert back == [pytest.approx(row, abs=5e-7, nan_ok=True) for row in ROWS]


def test_a_csv_of_names_alone_has_no_rows(tmp_path: Path) -> None:
    files.write_text(tmp_path / "history.csv", "epoch,train_loss,chosen\n")
    assert files.read_csv(tmp_path / "history.csv") == []


ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "by_columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "every_other": np.arange(10)[::2],
    "words": np.array(["train", "test"]),
    "empty": np.empty(0, np.float32),
}


def test_arrays_are_read_back(tmp_path: Path) -> None:
    files.write_arrays(tmp_path / "arrays.npz", **ARRAYS)
    back = files.read_arrays(tmp_path / "arrays.npz")
    assert list(back) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array, strict=True)


def test_headers_of_arrays_leave_nothing_to_the_release_of_python(tmp_path: Path) -> None:
    """No 64-bit sizes, which Python 3.11.3 and 3.11.4 write differently, and no date but the format's first."""
    files.write_arrays(tmp_path / "arrays.npz", **ARRAYS)
    content = (tmp_path / "arrays.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "arrays.npz") as archive:
        for member in archive.infolist():
            header = struct.unpack("<4s5H3L2H", content[member.header_offset :][:30])
            assert header == (
                b"PK\3\4", 20, 0, zipfile.ZIP_STORED, 0, 33,
                member.CRC, member.file_size, member.file_size, len(member.filename), 0,
            )  # fmt: skip
            assert (member.date_time, member.extra) == ((1980, 1, 1, 0, 0, 0), b"")


@pytest.mark.parametrize("read", [files.load_module, paths.parsed])
@pytest.mark.parametrize(
    ("text", "line"), [("A = 1\nB = (\n", ", line 2: .*never closed"), ("def loss:\n", ", line 1: ")]
)
def test_a_code_file_with_a_mistake_is_one_line(
    read: Callable[[Path], object], text: str, line: str, tmp_path: Path
) -> None:
    """As a method of one's own is while it is written."""
    path = tmp_path / "mine.py"
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(CellarError, match=rf"{path}{line}.*; mend it, then run again$"):
            read(path)
