"""Weights come back as they went; foreign files are read without running what they hold, or refused in one line."""

import argparse
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar import files, models
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights

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
    files.write_tensors(tmp_path / "weights.safetensors", build(0).state_dict())
    return tmp_path / "weights.safetensors"


def test_a_full_disk_is_said_and_leaves_the_old_file(saved: Path) -> None:
    before, limits = saved.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # of a file's bytes, as a disk has no more
    try:
        with pytest.raises(CellarError, match=r"cannot write .*weights\.safetensors: .*free space") as caught:
            files.write_tensors(saved, build(1).state_dict())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    assert saved.read_bytes() == before and list(saved.parent.iterdir()) == [saved]


def test_weights_are_as_readable_as_any_file(saved: Path) -> None:
    plain = saved.with_name("plain")
    plain.touch()
    assert saved.stat().st_mode == plain.stat().st_mode


def test_saved_weights_come_back_bit_for_bit(saved: Path) -> None:
    model = build(1)
    weights.load_weights(model, saved)
    assert torch.equal(logits(model), logits(build(0)))


def test_same_values_same_bytes_in_any_layout(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    files.write_tensors(other, build(0).to(memory_format=torch.channels_last).state_dict())
    assert other.read_bytes() == saved.read_bytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zipped", [True, False])
def test_published_forms_are_read(form: str, zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "best_model.pth"
    torch.save(FORMS[form](build(0).state_dict()), path, _use_new_zipfile_serialization=zipped)
    model = build(1)
    weights.load_weights(model, path)
    assert torch.equal(logits(model), logits(build(0)))


BOTH_FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def simkd(state: State, **extras: Any) -> dict[str, Any]:
    return {"epoch": 236, "best_acc": torch.tensor(79.42), "model": state, **extras}


def repdistiller(state: State, **extras: Any) -> dict[str, Any]:
    """With the state of the optimizer after a step, which holds tensors of its own."""
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([parameter], lr=0.05, momentum=0.9, weight_decay=5e-4)
    parameter.sum().backward()
    optimizer.step()
    return {"epoch": 240, "model": state, "accuracy": 79.42, "optimizer": optimizer.state_dict(), **extras}


def repdistiller_last(state: State) -> dict[str, Any]:
    opt = argparse.Namespace(model="resnet32x4", lr=0.05, lr_decay_epochs=[150, 180, 210], device=torch.device("cpu"))
    return {"opt": opt, **repdistiller(state)}


@BOTH_FORMATS
@pytest.mark.parametrize("form", [simkd, repdistiller, repdistiller_last])
def test_published_teachers_load_as_they_are(form: Callable[[State], Any], zipped: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    published, model, path = models.build("resnet8x4", 100), models.build("resnet8x4", 100), tmp_path / "teacher.pth"
    torch.save(form(published.state_dict()), path, _use_new_zipfile_serialization=zipped)
    weights.load_weights(model, path)
    for name, value in published.state_dict().items():
        assert torch.equal(model.state_dict()[name], value) and model.state_dict()[name].dtype == value.dtype


def test_a_teacher_of_other_classes_is_one_line(tmp_path: Path) -> None:
    path, model = tmp_path / "resnet8x4.pth", models.build("resnet8x4", 10)
    torch.save(repdistiller_last(models.build("resnet8x4", 100).state_dict()), path)
    with pytest.raises(CellarError, match=r"fc\.bias is \(100,\), not \(10,\); it fits resnet8x4 of 100 classes"):
        weights.load_weights(model, path)


@BOTH_FORMATS
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_whole_pickled_model_is_refused(zipped: bool, tmp_path: Path) -> None:
    torch.save(build(0), tmp_path / "model.pth", _use_new_zipfile_serialization=zipped)
    line = refusal(tmp_path / "model.pth")
    assert "cellar.models.resemotenet.ResEmoteNet" in line and "state dict alone" in line


def test_another_width_names_the_first_shape_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "b.safetensors"
    files.write_tensors(path, build(0, "resemotenet_b").state_dict())
    line = refusal(path)
    assert "does not fit the network: conv1.weight is (16, 3, 3, 3), not (8, 3, 3, 3), " in line
    assert "more differ in shape too; it fits resemotenet_b of 7 classes" in line


def test_other_keys_are_named_and_counted(tmp_path: Path) -> None:
    state = dict(build(0).state_dict())
    path = tmp_path / "some.pth"
    torch.save({key: value for key, value in state.items() if not key.startswith("fc")}, path)
    assert "fc1.weight, fc1.bias, fc2.weight and 5 more are missing" in refusal(path)
    torch.save({**state, "fc5.weight": torch.zeros(7, 7)}, path)
    assert "fc5.weight does not belong" in refusal(path)
    torch.save({**state, "fc5\nweight": torch.zeros(7, 7)}, path)
    assert "fc5?weight does not belong" in refusal(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("Not found")


@pytest.mark.parametrize("damage", [cut, empty, text])
@pytest.mark.parametrize("name", ["weights.safetensors", "zipped.pth", "legacy.pth"])
def test_a_broken_file_is_one_line(damage: Callable[[Path], None], name: str, saved: Path) -> None:
    path = saved.with_name(name)
    if name != saved.name:
        torch.save(build(0).state_dict(), path, _use_new_zipfile_serialization=name == "zipped.pth")
    damage(path)
    words = {cut: ("broken", "not whole"), empty: ("is empty",), text: ("broken or no weights file",)}[damage]
    assert any(word in refusal(path) for word in words) and "get it again" in refusal(path)


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.pth")
    assert "is a folder; name the weights file in it" in refusal(tmp_path)


@pytest.mark.parametrize("content", [{}, [1, 2], torch.zeros(3), {"accuracy": 79.79}, {"model": {}}])
def test_a_file_without_a_state_dict_is_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pth")
    assert "no state dict" in refusal(tmp_path / "other.pth")


@pytest.mark.parametrize("change", [Tensor.to_sparse, lambda tensor: tensor.to("meta")])
def test_tensors_without_numbers_are_no_weights(change: Callable[[Tensor], Tensor], tmp_path: Path) -> None:
    state = dict(build(0).state_dict())
    torch.save({**state, "fc4.weight": change(state["fc4.weight"])}, tmp_path / "other.pth")
    assert "no state dict" in refusal(tmp_path / "other.pth")
