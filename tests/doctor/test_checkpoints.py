"""Weights whose outputs cannot be those of the data set are found before a run, without torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from cellar import config
from cellar.doctor import checkpoints
from cellar.models.checkpoint_files import shapes


def network(outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.Linear(16, outputs))


def save(path: Path, outputs: int, form: str) -> Path:
    model = network(outputs)
    if form == "safetensors":
        save_file(model.state_dict(), path := path.with_suffix(".safetensors"))
    elif form == "old":
        torch.save({"epoch": 3, "model": model.state_dict()}, path, _use_new_zipfile_serialization=False)
    elif form == "parameters":
        torch.save(dict(model.named_parameters()), path)
    else:
        torch.save({"state_dict": model.state_dict(), "optimizer": object}, path)
    return path


FORMS = ["new", "old", "parameters", "safetensors"]


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_read_from_every_form(tmp_path: Path, form: str) -> None:
    assert shapes.row_counts(save(tmp_path / "w.pth", 7, form)) == {16, 7}


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04junk", b"\x80\x02K\x01."])
def test_a_broken_file_tells_nothing(tmp_path: Path, content: bytes) -> None:
    for name in ("w.pth", "w.safetensors"):
        (tmp_path / name).write_bytes(content)
        assert shapes.row_counts(tmp_path / name) == set()


def found(weights: Path, more: dict[str, Any] | None = None) -> list[str]:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["studies"]["mini_resemotenet"]["teachers"]["fer2013"].update({"weights": str(weights), **(more or {})})
    return [one.line() for one in checkpoints.examine(config.validate(raw, lambda key: Path("params.yaml")))]


KEY = "studies.mini_resemotenet.teachers.fer2013.weights"


def test_another_number_of_outputs_is_bad(tmp_path: Path) -> None:
    weights = save(tmp_path / "w.pth", 8, "new")
    assert found(weights) == [
        f"bad  {KEY}: {weights} has no layer of 7 outputs, but fer2013 has 7 classes (happy, surprise, sad, anger, disgust, "
        "fear, neutral) -> give weights of a network with these classes"
    ]


def test_as_many_outputs_as_classes_are_ok(tmp_path: Path) -> None:
    weights = save(tmp_path / "w.pth", 7, "new")
    assert found(weights) == [f"ok   {KEY}: {weights}: the outputs for fer2013 are taken in its own order"]
    names = ["happy", "surprise", "sad", "angry", "disgust", "fear", "neutral"]
    assert found(weights, {"classes": names})[0].endswith("the outputs for fer2013 are bound to its classes by name")
    assert found(tmp_path / "none.pth") == []


def test_torch_is_not_needed() -> None:
    code = "import sys, cellar.doctor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
