"""The CIFAR ResNets are the published ones: counts to the unit, keys of their checkpoints, wiring, first weights."""

import math

import pytest
import torch
import torch.nn.functional as f
from torch import Tensor

from cellar import models

PARAMETERS = {"resnet32x4": 7_433_860, "resnet8x4": 1_233_540}  # at 100 classes
BLOCK = ("conv1", "bn1", "conv2", "bn2")
STATISTICS = ("running_mean", "running_var", "weight", "bias")


def layers_of(blocks: int) -> set[str]:
    """Names of the layers in a published checkpoint with so many blocks a stage."""
    inside = {f"layer{i}.{j}.{part}" for i in (1, 2, 3) for j in range(blocks) for part in BLOCK}
    shortcuts = {f"layer{i}.0.downsample.{part}" for i in (1, 2, 3) for part in (0, 1)}
    return {"conv1", "bn1", "fc", *inside, *shortcuts}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_known_number(name: str) -> None:
    with torch.device("meta"):
        model = models.build(name, 100)
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize(("name", "blocks"), [("resnet32x4", 5), ("resnet8x4", 1)])
def test_state_dict_has_the_published_keys_and_shapes(name: str, blocks: int) -> None:
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in models.build(name, 100).state_dict().items()}
    assert {key.rpartition(".")[0] for key in shapes} == layers_of(blocks)
    assert [key for key in shapes if key.endswith("bias") and "conv" in key] == []
    assert shapes["conv1.weight"] == (32, 3, 3, 3)
    assert shapes["layer1.0.downsample.0.weight"] == (64, 32, 1, 1)
    assert shapes[f"layer3.{blocks - 1}.conv2.weight"] == (256, 256, 3, 3)
    assert shapes["fc.weight"] == (100, 256)


@pytest.mark.parametrize("size", [(32, 32), (40, 24), (5, 5)])
def test_any_size_gives_logits_of_each_class(size: tuple[int, int]) -> None:
    assert models.build("resnet8x4", 7).eval()(torch.zeros(2, 3, *size)).shape == (2, 7)


def test_logits_are_the_layers_in_the_published_order() -> None:
    """The forward pass written out from the state dict; RepDistiller's pooling, a window of 8, at 32x32."""
    torch.manual_seed(0)
    model, x = models.build("resnet8x4", 10), torch.randn(4, 3, 32, 32)
    model(x)
    w = model.eval().state_dict()

    def norm(x: Tensor, key: str) -> Tensor:
        return f.batch_norm(x, *(w[f"{key}.{part}"] for part in STATISTICS))

    expected = model(x)
    x = f.relu(norm(f.conv2d(x, w["conv1.weight"], padding=1), "bn1"))
    for key, stride in (("layer1.0", 1), ("layer2.0", 2), ("layer3.0", 2)):
        out = f.relu(norm(f.conv2d(x, w[f"{key}.conv1.weight"], stride=stride, padding=1), f"{key}.bn1"))
        out = norm(f.conv2d(out, w[f"{key}.conv2.weight"], padding=1), f"{key}.bn2")
        shortcut = norm(f.conv2d(x, w[f"{key}.downsample.0.weight"], stride=stride), f"{key}.downsample.1")
        x = f.relu(out + shortcut)
    x = f.avg_pool2d(x, 8).flatten(1)
    torch.testing.assert_close(expected, f.linear(x, w["fc.weight"], w["fc.bias"]))


def test_later_blocks_add_their_input_as_it_is() -> None:
    torch.manual_seed(0)
    block = models.build("resnet32x4", 2).eval().get_submodule("layer1.1")
    torch.nn.init.zeros_(block.get_parameter("bn2.weight"))
    x = torch.rand(1, 64, 4, 4)
    assert torch.equal(block(x), x)


def test_first_weights_are_the_repositories() -> None:
    """Normal by fan-out: standard deviation sqrt(2 / (outputs * kernel area)); batch norms 1 and 0."""
    torch.manual_seed(0)
    state = models.build("resnet8x4", 100).state_dict()
    for key, fan_out in (("layer3.0.conv2.weight", 256 * 9), ("layer3.0.downsample.0.weight", 256)):
        assert float(state[key].std()) == pytest.approx(math.sqrt(2 / fan_out), rel=0.02)
    assert state["layer1.0.bn1.weight"].unique().tolist() == [1]
    assert state["layer1.0.bn1.bias"].unique().tolist() == [0]
