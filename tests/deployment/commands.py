"""`cellar predict` and its refusals, as the tests of pictures, videos and outputs run them."""

import csv
from pathlib import Path

import pytest

from cellar.cli import main

Rows = list[dict[str, str]]


def predict(model: str, *words: str) -> Rows:
    assert main(["predict", model, *words]) == 0
    with Path("predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of a command that fails; it leaves nothing behind."""
    before = set(Path().rglob("*"))
    assert main(list(words)) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and set(Path().rglob("*")) == before
    return lines[0]


def middle(row: dict[str, str]) -> tuple[float, float]:
    return float(row["x"]) + float(row["width"]) / 2, float(row["y"]) + float(row["height"]) / 2


def save(name: str, *places: tuple[int, int], size: tuple[int, int] = (480, 640)) -> str:
    import cv2

    from .media import scene

    cv2.imwrite(name, scene(*places, size=size))
    return name
