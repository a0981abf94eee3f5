"""Weights come back as they went; foreign files are read without running them, or refused in one line."""

import argparse
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError
from cellar.models import weights

State = dict[str, Tensor]
FORMS: dict[str, Callable[[State], Any]] = {
    "bare": lambda state: state,
    "model_state_dict": lambda state: {"epoch": 80, "model_state_dict": state, "optimizer": {"lr": 0.1}},
    "state_dict": lambda state: {"state_dict": state},
    "model": lambda state: {"epoch": 240, "best_acc": torch.tensor(79.42), "model": state},
    "DataParallel": lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
}


def build(seed: int, name: str = "resemotenet_c") -> nn.Module:
    torch.manual_seed(seed)
    return models.build(name, 7).eval()


def logits(model: nn.Module) -> Tensor:
    return model(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))


def refusal(path: Path) -> str:
    """The one line that `path` is refused with; the model it was meant for stays as it was."""
    model = build(1)
    before = logits(model)
    with pytest.raises(CellarError) as caught:
        weights.load_weights(model, path)
    assert torch.equal(logits(model), before)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    weights.save(build(0).state_dict(), tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_saved_weights_come_back_bit_for_bit(saved: Path) -> None:
    model = build(1)
    weights.load_weights(model, saved)
    assert torch.equal(logits(model), logits(build(0)))


def test_same_values_same_bytes_in_any_layout(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    weights.save(build(0).to(memory_format=torch.channels_last).state_dict(), other)
    assert other.read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zipped", [True, False])
def test_published_forms_are_read(form: str, zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "best_model.pth"
    torch.save(FORMS[form](build(0).state_dict()), path, _use_new_zipfile_serialization=zipped)
    model = build(1)
    weights.load_weights(model, path)
    assert torch.equal(logits(model), logits(build(0)))


class Hostile:
    """Unpickling it creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def dump(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("write", [torch.save, dump])
@pytest.mark.parametrize("place", ["top", "beside the weights"])
def test_a_hostile_file_is_refused_and_not_run(write: Callable[..., None], place: str, tmp_path: Path) -> None:
    path, target = tmp_path / "model.pth", tmp_path / "created"
    hostile = Hostile(target)
    write(hostile if place == "top" else {"model": build(0).state_dict(), "opt": hostile}, path)
    assert refusal(path)
    assert not target.exists()
    pickle.loads(pickle.dumps(hostile))  # the trap works
    assert target.exists()


def test_a_checkpoint_with_other_objects_names_them(tmp_path: Path) -> None:
    path = tmp_path / "resnet32x4_last.pth"
    torch.save({"opt": argparse.Namespace(lr=0.05), "model": build(0).state_dict()}, path)
    line = refusal(path)
    assert "argparse.Namespace" in line and "state dict alone" in line


def test_a_whole_pickled_model_is_refused(tmp_path: Path) -> None:
    torch.save(build(0), tmp_path / "model.pth")
    assert "cellar.models.resemotenet.ResEmoteNet" in refusal(tmp_path / "model.pth")


def test_another_width_names_the_first_shape_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "b.safetensors"
    weights.save(build(0, "resemotenet_b").state_dict(), path)
    line = refusal(path)
    assert "weights of another model" in line
    assert "conv1.weight is (16, 3, 3, 3), not (8, 3, 3, 3)" in line and "shapes differ" in line


def test_other_keys_are_named_and_counted(tmp_path: Path) -> None:
    state = dict(build(0).state_dict())
    path = tmp_path / "some.pth"
    torch.save({key: value for key, value in state.items() if not key.startswith("fc")}, path)
    assert "fc1.weight is missing (8 missing, 0 too many)" in refusal(path)
    torch.save({**state, "fc5.weight": torch.zeros(7, 7)}, path)
    assert "fc5.weight does not belong (1 too many)" in refusal(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def page(path: Path) -> None:
    path.write_text("<!DOCTYPE html>\n<html>\nGoogle Drive can't scan this file\n</html>")


def text(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


@pytest.mark.parametrize("damage", [cut, empty, page, text])
@pytest.mark.parametrize("name", ["weights.safetensors", "zipped.pth", "legacy.pth"])
def test_a_broken_file_is_one_line(damage: Callable[[Path], None], name: str, saved: Path) -> None:
    path = saved.with_name(name)
    if name != saved.name:
        torch.save(build(0).state_dict(), path, _use_new_zipfile_serialization=name == "zipped.pth")
    damage(path)
    assert "broken or no weights file" in refusal(path) and "get it again" in refusal(path)


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    assert "not here" in refusal(tmp_path / "none.pth")
    assert "not here" in refusal(tmp_path)


@pytest.mark.parametrize("content", [{}, [1, 2], torch.zeros(3), {"accuracy": 79.79}, {"model": {}}])
def test_a_file_without_a_state_dict_is_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pth")
    assert "no state dict" in refusal(tmp_path / "other.pth")


@pytest.mark.parametrize("change", [Tensor.to_sparse, lambda tensor: tensor.to("meta")])
def test_tensors_without_numbers_are_no_weights(change: Callable[[Tensor], Tensor], tmp_path: Path) -> None:
    state = dict(build(0).state_dict())
    torch.save({**state, "fc4.weight": change(state["fc4.weight"])}, tmp_path / "other.pth")
    assert "no state dict" in refusal(tmp_path / "other.pth")


@pytest.mark.parametrize("write", [page, text])
def test_a_download_that_went_wrong_is_told_from_weights(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "best_model.pth")
    assert "does not begin as a file of torch.save does" in refusal(tmp_path / "best_model.pth")
