"""The forms that training code saves a network in: all give its weights, or one line with the true reason."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights

State = dict[str, Tensor]
CLASSES = 10


def build(seed: int = 0, name: str = "resnet8x4") -> nn.Module:
    torch.manual_seed(seed)
    return models.build(name, CLASSES)


def refusal(path: Path, **options: Any) -> str:
    """The one line that `path` is refused with; the model it was meant for stays as it was."""
    model, before = build(1), build(1).state_dict()
    with pytest.raises(CellarError) as caught:
        weights.load_weights(model, path, **options)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    line = str(caught.value)
    assert line.startswith(str(path)) and "\n" not in line
    return line


def under(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": value for name, value in state.items()}


def other(name: str = "resnet32x4") -> State:
    return build(2, name).state_dict()


def average(state: State) -> State:
    return {name: value + 1 for name, value in state.items()}


def inner_compiled(state: State) -> State:
    """As torch.compile of one layer leaves the names."""
    return {name.replace("layer1.", "layer1._orig_mod."): value for name, value in state.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "DataParallel": lambda s: {"model": under("module.", s)},
    "torch.compile": lambda s: under("_orig_mod.", s),
    "both": lambda s: under("module._orig_mod.", s),
    "both, the other way": lambda s: under("_orig_mod.module.", s),
    "a layer compiled": inner_compiled,
    "Lightning": lambda s: {"state_dict": under("model.", s), "epoch": 3, "hyper_parameters": {"lr": 0.1}},
    "Lightning with a loss": lambda s: {"state_dict": {**under("net.", s), "criterion.weight": torch.ones(CLASSES)}},
    "mdistiller": lambda s: {"epoch": 240, "model": under("module.student.", s), "optimizer": {}, "best_acc": 79.0},
    "mdistiller with its teacher": lambda s: {
        "model": under("module.student.", s) | under("module.teacher.", other()),
    },
    "kuangliu": lambda s: {"net": s, "acc": 93.0, "epoch": 3},
    "an average alone": lambda s: {"ema": {"module": s, "decay": 0.999}},
    "nested": lambda s: {"checkpoint": {"model_ema": under("module.", s)}, "epoch": 1},
    "swa_utils": lambda s: {"n_averaged": torch.tensor(3), **under("module.", s)},
    "thop": lambda s: {
        **s,
        "total_ops": torch.zeros(1),
        "total_params": torch.zeros(1),
        "layer1.total_ops": torch.ones(1),
    },
    "from before counters": lambda s: {k: v for k, v in s.items() if not k.endswith("num_batches_tracked")},
    "the same twice": lambda s: {"model": s, "state_dict": {k: v.clone() for k, v in s.items()}},
    "student and teacher": lambda s: {"student": s, "teacher": other()},
    "an optimizer with names": lambda s: {
        "model": s,
        "optimizer": {"state": {k: {"exp_avg": v} for k, v in s.items()}},
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_what_training_code_saves_gives_every_weight(form: str, tmp_path: Path) -> None:
    state, model = build().state_dict(), build(1)
    torch.save(FORMS[form](state), tmp_path / "last.ckpt")
    weights.load_weights(model, tmp_path / "last.ckpt")
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["model.safetensors", "model.bin"])
def test_safetensors_are_known_by_their_content(name: str, tmp_path: Path) -> None:
    state, model = build().state_dict(), build(1)
    safetensors.torch.save_file(under("model.", state), tmp_path / name)
    weights.load_weights(model, tmp_path / name)
    assert torch.equal(model.state_dict()["fc.weight"], state["fc.weight"])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(kind: torch.dtype, tmp_path: Path) -> None:
    state, model = build().state_dict(), build(1)
    torch.save({k: v.to(kind) if v.is_floating_point() else v for k, v in state.items()}, tmp_path / "half.pth")
    weights.load_weights(model, tmp_path / "half.pth")
    found = model.state_dict()["fc.weight"]
    assert found.dtype == torch.float32 and torch.equal(found, state["fc.weight"].to(kind).float())


def test_of_two_that_fit_one_must_be_chosen(tmp_path: Path) -> None:
    state, path = build().state_dict(), tmp_path / "last.pth"
    torch.save({"model": state, "ema": {"module": average(state)}}, path)
    line = refusal(path)
    assert (
        "several weights that fit, under model and under ema.module; say which" in line and "weights_key: model" in line
    )
    assert "no weights under teacher; mend weights_key in params.yaml, to one of model, ema" in refusal(
        path, key="teacher"
    )
    for key, expected in {"model": state, "ema": average(state), "ema.module": average(state)}.items():
        model = build(1)
        weights.load_weights(model, path, key=key)
        assert torch.equal(model.state_dict()["fc.weight"], expected["fc.weight"])


def test_two_networks_in_one_state_dict_must_be_chosen_from(tmp_path: Path) -> None:
    state = build().state_dict()
    torch.save(under("student.", state) | under("teacher.", average(state)), tmp_path / "last.pth")
    assert "under student and under teacher" in refusal(tmp_path / "last.pth")


def test_another_network_is_called_by_its_name(tmp_path: Path) -> None:
    torch.save({"model": under("module.", other())}, tmp_path / "last.pth")
    assert "do not belong; it fits resnet32x4 of 10 classes; give a file of the same" in refusal(tmp_path / "last.pth")


def test_part_of_a_network_is_called_no_network(tmp_path: Path) -> None:
    state = {name: value for name, value in build().state_dict().items() if not name.startswith("fc")}
    torch.save({**state, "extra.weight": torch.zeros(1)}, tmp_path / "last.pth")
    line = refusal(tmp_path / "last.pth")
    assert "does not fit the network: fc.weight, fc.bias are missing, extra.weight does not belong; give" in line


def test_a_trunk_under_another_name_starts_a_network(tmp_path: Path) -> None:
    state = build(0, "resnet18").state_dict()
    trunk = {name: value for name, value in state.items() if not name.startswith("fc.")}
    torch.save({"state_dict": under("backbone.", trunk) | {"head.weight": torch.zeros(3, 512)}}, tmp_path / "last.ckpt")
    model = build(1, "resnet18")
    assert weights.load_trunk(model, tmp_path / "last.ckpt") == ("fc",)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in trunk.items())


def changed(value: Tensor) -> Callable[[State], State]:
    return lambda state: {**state, "fc.bias": value}


NUMBERS: dict[str, tuple[Callable[[State], State], str]] = {
    "none": (changed(torch.full((CLASSES,), float("nan"))), "fc.bias holds numbers that are not finite"),
    "infinite": (changed(torch.full((CLASSES,), float("inf"))), "fc.bias holds numbers that are not finite"),
    "infinite in float32": (
        changed(torch.full((CLASSES,), 1e300, dtype=torch.float64)),
        "fc.bias holds numbers that are not",
    ),
    "quantised": (changed(torch.zeros(CLASSES, dtype=torch.int8)), "fc.bias is of torch.int8"),
    "complex": (changed(torch.zeros(CLASSES, dtype=torch.complex64)), "fc.bias is of torch.complex64"),
}


@pytest.mark.parametrize(("form", "words"), NUMBERS.values(), ids=NUMBERS)
def test_what_is_no_number_is_no_weight(form: Callable[[State], State], words: str, tmp_path: Path) -> None:
    torch.save(form(build().state_dict()), tmp_path / "last.pth")
    assert words in refusal(tmp_path / "last.pth")


FOREIGN: dict[str, tuple[bytes, str]] = {
    "page": (b"\n<!DOCTYPE html>\n<title>Google Drive - Virus scan warning</title>", "is a web page"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS"),
    "DVC": (b"outs:\n- md5: 0\n  path: x.pth\n", "is a pointer of DVC"),
    "nothing": (b"", "is empty"),
    "ONNX": (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:", "is an ONNX model"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(20), "is an HDF5 file"),
    "packed": (b"\x1f\x8b\x08\x00" + bytes(20), "is packed by gzip; unpack it"),
    "tar": (b"x.pth".ljust(257, b"\0") + b"ustar\x0000" + bytes(300), "is a tar archive; unpack it"),
    "an index": (b'{"metadata": {}, "weight_map": {}}', "is JSON"),
    "text": (b"404: Not Found", "is broken or no weights file (it does not begin as"),
}


@pytest.mark.parametrize(("content", "words"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("name", ["pytorch_model.bin", "last.ckpt", "weights.pkl", "model.safetensors"])
def test_what_is_no_weights_file_is_called_what_it_is(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    expected = (
        ("is not a whole pickle" if name.endswith("pkl") else "is broken") if words.startswith("is broken") else words
    )
    assert expected in refusal(tmp_path / name)


def test_another_zip_archive_is_no_file_of_torch_save(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", w=np.zeros(3))
    assert "is an .npz of NumPy" in refusal(tmp_path / "some.npz")
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.writestr("weights/last.pth", b"x")
    assert "is a zip archive of other files; unpack it" in refusal(tmp_path / "some.zip")
