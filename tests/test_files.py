"""Numbers as CSV: the bytes of pandas, and back."""

import math
from pathlib import Path

import pandas as pd
import pytest

from cellar import files

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
