"""Weights that touch no map follow plain PyTorch: any learning rates, resuming, both optimizers."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.config import Recipe
from cellar.engine.runtime import Optimizer
from cellar.models.small_maps import FittedConv2d, fit, fitted

SGD: dict[str, Any] = {
    "epochs": 9, "batch_size": 4, "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.003, "class_weighting": "none",
    "schedule": {"step": {"every": 2, "factor": 0.7}}, "select_on": "last_epoch",
}  # fmt: skip
ADAM = {"optimizer": "adam", "learning_rate": 0.001, "momentum": 0}
STEPS_OF_AN_EPOCH = 50


class Small(nn.Module):
    """Two convolutions of a 2x2 and a 1x1 map."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x))).mean((2, 3))


def pair(network: nn.Module, size: int) -> tuple[nn.Module, nn.Module]:
    fitted_one = copy.deepcopy(network)
    fit(fitted_one, (1, 3, size, size), "fp32")
    return fitted_one, network


def untouched(model: nn.Module, like: nn.Module) -> dict[str, Tensor]:
    """The weights of `model` that touch no map where `like` is fitted."""
    found = {}
    for name, layer in like.named_modules():
        if isinstance(layer, FittedConv2d):
            mask = torch.ones_like(layer.kernel, dtype=torch.bool)
            mask[layer.part] = False
            found[name] = model.state_dict()[f"{name}.weight"][mask]
    return found


def epoch(model: nn.Module, optimizer: Optimizer, number: int, steps: int = STEPS_OF_AN_EPOCH) -> None:
    generator = torch.Generator().manual_seed(number)
    for _ in range(steps):
        images = torch.randn(4, 3, 2, 2, generator=generator)
        optimizer.step(nn.functional.cross_entropy(model(images), torch.tensor([0, 1, 2, 3])))
    optimizer.end_epoch(1.0)


def relative(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    return max(float((mine[key] - theirs[key]).norm() / theirs[key].norm()) for key in theirs)


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate({**SGD, **changes})


@pytest.mark.parametrize(
    ("momentum", "schedule"),
    [
        (0.9, {"step": {"every": 2, "factor": 0.7}}),
        (0.9, {"plateau": {"factor": 0.3, "patience": 1}}),
        (0.0, {"inverse_sqrt": True}),
    ],
    ids=str,
)
def test_500_steps_with_a_schedule_and_a_resumption(momentum: float, schedule: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network, plain = pair(Small(), 2)
    start = untouched(plain, network)
    said = recipe(schedule=schedule, momentum=momentum)
    mine, theirs = Optimizer(network, said), Optimizer(plain, said)
    for number in range(10):
        if number == 4:  # as a killed training goes on: from what was saved alone
            weights, state = copy.deepcopy(network.state_dict()), copy.deepcopy(mine.state_dict())
            network, _ = pair(Small(), 2)
            mine = Optimizer(network, said)
            network.load_state_dict(weights)
            mine.load_state_dict(state)
        epoch(network, mine, number)
        epoch(plain, theirs, number)
    moved = relative(start, untouched(plain, network))
    assert relative(untouched(network, network), untouched(plain, network)) < 1e-5 < 0.01 < moved
    torch.testing.assert_close(network.state_dict(), plain.state_dict(), rtol=1e-3, atol=1e-4)


def test_a_resumed_training_has_the_same_bytes() -> None:
    torch.manual_seed(0)
    network, _ = pair(Small(), 2)
    optimizer = Optimizer(network, recipe())
    epoch(network, optimizer, 0)
    resumed, _ = pair(Small(), 2)
    other = Optimizer(resumed, recipe())
    resumed.load_state_dict(copy.deepcopy(network.state_dict()))
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    epoch(network, optimizer, 1)
    epoch(resumed, other, 1)
    whole, again = network.state_dict(), resumed.state_dict()
    assert all(torch.equal(whole[key], again[key]) for key in whole)


@pytest.mark.parametrize("size", [48, 64])
def test_20_steps_of_resemotenet_in_double_precision(size: int) -> None:
    torch.manual_seed(0)
    network, plain = pair(models.build("resemotenet_c", 7).double(), size)
    optimizers = [Optimizer(one, recipe()) for one in (network, plain)]
    for number in range(20):
        images = torch.randn(8, 3, size, size, dtype=torch.float64)
        for model, optimizer in zip((network, plain), optimizers, strict=True):
            torch.manual_seed(number)  # of the dropout
            optimizer.step(nn.functional.cross_entropy(model(images), torch.arange(8) % 7))
            if number % 8 == 7:
                optimizer.end_epoch(0.0)
    for key, weight in plain.state_dict().items():
        assert (network.state_dict()[key] - weight).abs().max() <= 1e-9 * weight.abs().max(), key


def test_adam_without_weight_decay_leaves_them_as_they_are() -> None:
    network, plain = pair(Small(), 2)
    start = untouched(plain, network)
    said = recipe(weight_decay=0, **ADAM)
    for model in (network, plain):
        epoch(model, Optimizer(model, said), 0)
        assert relative(untouched(model, network), start) == 0
    torch.testing.assert_close(network.state_dict(), plain.state_dict())


def test_adam_with_weight_decay_takes_the_plain_path_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    network, plain = pair(Small(), 2)
    optimizers = [Optimizer(one, recipe(**ADAM)) for one in (network, plain)]
    assert not fitted(network)
    said = "2 convolutions of small maps take the slower plain path: Adam with weight_decay has no closed form\n"
    assert capsys.readouterr().err == said
    for model, optimizer in zip((network, plain), optimizers, strict=True):
        epoch(model, optimizer, 0)
    assert all(torch.equal(network.state_dict()[key], value) for key, value in plain.state_dict().items())


def test_a_frozen_layer_does_not_decay() -> None:
    network, plain = pair(Small(), 2)
    for model in (network, plain):
        model.get_submodule("first").requires_grad_(False)
        epoch(model, Optimizer(model, recipe()), 0)
    before, after = plain.state_dict()["first.weight"], network.state_dict()["first.weight"]
    assert torch.equal(before, after)
    assert relative(untouched(network, network), untouched(plain, network)) < 1e-5


def test_a_decay_that_leaves_nothing_is_followed_too() -> None:
    """lr * weight_decay = 1 without momentum makes them 0 in one step."""
    network, plain = pair(Small(), 2)
    said = recipe(learning_rate=0.5, weight_decay=2, momentum=0)
    for model in (network, plain):
        optimizer = Optimizer(model, said)
        epoch(model, optimizer, 0, steps=2)
        epoch(model, optimizer, 1, steps=1)
        assert not any(weights.any() for weights in untouched(model, network).values())
