"""The four networks are the papers': counts to the unit, keys of the published file, shapes at any size."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as f
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError
from cellar.models.resemotenet import SqueezeExcite

PRINTED = {  # parameters at 7 classes: Mini-ResEmoteNet, Tables I and II
    "resemotenet": 80_238_599,
    "resemotenet_a": 20_069_383,
    "resemotenet_b": 5_022_215,
    "resemotenet_c": 1_259_911,
}
STATISTICS = ("running_mean", "running_var", "weight", "bias")
STEM = [f"{layer}{i}" for layer in ("conv", "bn") for i in (1, 2, 3)]
HEAD = [f"fc{i}" for i in (1, 2, 3, 4)]
PARTS = ("conv1", "bn1", "conv2", "bn2", "shortcut.0", "shortcut.1")
BLOCKS = [f"res_block{i}.{part}" for i in (1, 2, 3) for part in PARTS]


@pytest.mark.parametrize("name", PRINTED)
def test_parameters_are_the_printed_number(name: str) -> None:
    with torch.device("meta"):
        model = models.build(name, 7)
    assert sum(p.numel() for p in model.parameters()) == PRINTED[name]


def test_state_dict_has_the_published_keys_and_shapes() -> None:
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in models.build("resemotenet", 7).state_dict().items()}
    modules = {key.rpartition(".")[0] for key in shapes}
    assert modules == {*STEM, "se.fc.0", "se.fc.2", *BLOCKS, *HEAD}
    assert "se.fc.0.bias" not in shapes and "se.fc.2.bias" not in shapes
    assert shapes["se.fc.0.weight"] == (16, 256)
    assert shapes["res_block1.conv1.weight"] == (512, 256, 3, 3)
    assert shapes["res_block3.shortcut.0.bias"] == (2048,)
    assert shapes["fc4.weight"] == (7, 256)


def test_student_c_does_not_squeeze() -> None:
    assert models.build("resemotenet_c", 7).state_dict()["se.fc.0.weight"].shape == (32, 32)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (48, 48), (64, 40), (31, 9)])
def test_any_size_gives_logits_of_each_class(height: int, width: int) -> None:
    logits = models.build("resemotenet_c", 5).eval()(torch.zeros(2, 3, height, width))
    assert logits.shape == (2, 5)


def test_channels_last_changes_no_logit() -> None:
    torch.manual_seed(0)
    model = models.build("resemotenet_c", 7).eval()
    images = torch.randn(3, 3, 24, 24)
    expected = model(images)
    last = torch.channels_last
    torch.testing.assert_close(model.to(memory_format=last)(images.contiguous(memory_format=last)), expected)


def test_logits_are_the_layers_in_the_published_order() -> None:
    """The forward pass written out from the state dict, with running statistics as training leaves them."""
    torch.manual_seed(0)
    model, x = models.build("resemotenet_c", 7), torch.randn(4, 3, 32, 32)
    model(x)
    w = model.eval().state_dict()

    def norm(x: Tensor, key: str) -> Tensor:
        return f.batch_norm(x, *(w[f"{key}.{part}"] for part in STATISTICS))

    def conv(x: Tensor, key: str, **kwargs: int) -> Tensor:
        return f.conv2d(x, w[f"{key}.weight"], w[f"{key}.bias"], **kwargs)

    def block(x: Tensor, key: str) -> Tensor:
        out = f.relu(norm(conv(x, f"{key}.conv1", stride=2, padding=1), f"{key}.bn1"))
        out = norm(conv(out, f"{key}.conv2", padding=1), f"{key}.bn2")
        return f.relu(out + norm(conv(x, f"{key}.shortcut.0", stride=2), f"{key}.shortcut.1"))

    expected = model(x)
    for i in (1, 2, 3):
        x = f.max_pool2d(f.relu(norm(conv(x, f"conv{i}", padding=1), f"bn{i}")), 2)
    gate = torch.sigmoid(f.relu(x.mean((2, 3)) @ w["se.fc.0.weight"].T) @ w["se.fc.2.weight"].T)
    x = x * gate.view(4, -1, 1, 1)
    for i in (1, 2, 3):
        x = block(x, f"res_block{i}")
    x = f.adaptive_avg_pool2d(x, 1).flatten(1)
    for i in (1, 2, 3):
        x = f.relu(f.linear(x, w[f"fc{i}.weight"], w[f"fc{i}.bias"]))
    torch.testing.assert_close(expected, f.linear(x, w["fc4.weight"], w["fc4.bias"]))


def test_dropout_stands_where_the_paper_has_it() -> None:
    """0.2 after the first and the second pool, 0.5 after fc1, fc2 and fc3."""
    model = models.build("resemotenet_c", 7)
    seen: list[tuple[float, int]] = []
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.register_forward_pre_hook(lambda drop, inputs: seen.append((drop.p, inputs[0].shape[1])))
    model(torch.zeros(2, 3, 16, 16))
    assert seen == [(0.2, 8), (0.2, 16), (0.5, 128), (0.5, 64), (0.5, 32)]


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    model, images = models.build("resemotenet_c", 7), torch.randn(4, 3, 16, 16)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_squeeze_excite_scales_each_channel_by_its_gate() -> None:
    torch.manual_seed(0)
    block, images = SqueezeExcite(4, 2), torch.randn(2, 4, 3, 5)
    squeeze, excite = block.state_dict()["fc.0.weight"], block.state_dict()["fc.2.weight"]
    means = images.flatten(2).mean(2)
    gate = 1 / (1 + torch.exp(-(torch.clamp(means @ squeeze.T, min=0) @ excite.T)))
    torch.testing.assert_close(block(images), images * gate.view(2, 4, 1, 1))


def test_every_known_model_is_built() -> None:
    for name in models.known():
        with torch.device("meta"):
            model = models.build(name, 3).eval()
        side = 32 if models.accepts(model, 32) else 160
        assert model(torch.zeros(2, 3, side, side, device="meta")).shape == (2, 3)


def test_an_unknown_name_gets_the_likely_one() -> None:
    with pytest.raises(CellarError, match=r"'resemotnet_a'.*did you mean 'resemotenet_a'"):
        models.build("resemotnet_a", 7)


def test_asking_for_names_does_not_import_torch() -> None:
    code = "import sys; from cellar.models import known; assert known(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
