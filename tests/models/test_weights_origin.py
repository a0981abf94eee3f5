"""Weights that fit by name and shape, of another network or of other inputs, are not taken for the network's own.

The variances are those that photographs give a first layer: a convolution of white noise of variance v has v times the
squared length of its filter; normalised pixels have about 1, those from 0 to 255 about 64 squared.
"""

from functools import cache
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor

from cellar import models
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights

State = dict[str, Tensor]
NORMALISED, WIDE = 1.0, 64.0**2


def trained(state: State, conv: str, norm: str, pixels: float, dead: int = 0) -> State:
    """`state` as a training on pixels of this variance leaves its first batch norm, with filters that died."""
    torch.manual_seed(0)
    lengths = state[f"{conv}.weight"].square().flatten(1).sum(1)
    factors = torch.logspace(-1, 1, len(lengths))  # filters of edges, and of sums
    variance = pixels * lengths * factors[torch.randperm(len(factors))]
    variance[:dead] = 1e-9
    return {**state, f"{norm}.running_var": variance}


def resnet50(classes: int, pixels: float, dead: int = 10) -> State:
    state = {name: value.clone() for name, value in fresh_resnet50().items()}
    state |= {"fc.weight": torch.zeros(classes, 2048), "fc.bias": torch.zeros(classes)}
    return trained(state, "conv1", "bn1", pixels, dead)


@cache
def fresh_resnet50() -> State:
    return torchvision.models.resnet50(num_classes=2).state_dict()


def headless(state: State) -> State:
    return {name: value for name, value in state.items() if not name.startswith("fc.")}


def start(state: State, path: Path, normalisation: str | None, name: str = "resnet50_vggface2") -> tuple[str, ...]:
    torch.save(state, path)
    return weights.load_trunk(models.build(name, 5), path, normalisation)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "resnet50-0676ba61.pth"


@pytest.mark.parametrize(("classes", "normalisation"), [(1000, "vggface2"), (1000, "imagenet"), (21841, None)])
def test_imagenets_resnet50_is_not_vggface2s(classes: int, normalisation: str | None, path: Path) -> None:
    with pytest.raises(
        CellarError, match=rf"ResNet-50 of torchvision's layout \({classes} classes\), whose weights"
    ) as caught:
        start(resnet50(classes, NORMALISED), path, normalisation)
    assert "ResNet50Vggface2" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_of_this_network_start_it(path: Path) -> None:
    assert start(resnet50(8631, WIDE), path, "vggface2") == ("fc",)
    assert start(resnet50(1000, WIDE), path, "vggface2") == ("fc",)  # one's own, of a thousand people


@pytest.mark.parametrize(
    ("pixels", "normalisation", "found"),
    [(NORMALISED, "vggface2", "0 to 1 or normalised"), (WIDE, "imagenet", "0 to 255"), (WIDE, "unit", "0 to 255")],
)
@pytest.mark.parametrize("classes", [None, 105])
def test_other_inputs_than_the_weights_know_are_refused(
    classes: int | None, pixels: float, normalisation: str, found: str, path: Path
) -> None:
    state = resnet50(classes or 2, pixels)
    with pytest.raises(CellarError, match=f"was trained on pixels of {found}, .* normalisation {normalisation} gives"):
        start(state if classes else headless(state), path, normalisation)


@pytest.mark.parametrize("scale", [0.01, 100])
def test_the_size_of_the_weights_does_not_matter(scale: float, path: Path) -> None:
    state = resnet50(8631, WIDE)
    state["conv1.weight"] *= scale
    state["bn1.running_var"] *= scale**2
    assert start(state, path, "vggface2") == ("fc",)


@pytest.mark.parametrize(("name", "conv", "norm"), [
    ("resnet18", "conv1", "bn1"), ("mobilenet_v1", "model.0.0", "model.0.1"),
    ("inception_v3", "Conv2d_1a_3x3.conv", "Conv2d_1a_3x3.bn"),
])  # fmt: skip
def test_imagenets_weights_start_their_own_networks(name: str, conv: str, norm: str, path: Path) -> None:
    torch.manual_seed(0)
    state = trained(models.build(name, 1000).state_dict(), conv, norm, NORMALISED)
    assert start(state, path, "imagenet", name)[0] == start(state, path, "unit", name)[0] == "fc"
    with pytest.raises(CellarError, match="was trained on pixels of 0 to 1 or normalised"):
        start(state, path, "vggface2", name)


def test_batch_norms_that_saw_no_image_say_nothing(path: Path) -> None:
    assert start(models.build("resnet50_vggface2", 7).state_dict(), path, "vggface2") == ("fc",)
    assert start(models.build("resnet50_vggface2", 7).state_dict(), path, "imagenet") == ("fc",)


def test_a_teachers_file_is_looked_at_too(path: Path) -> None:
    torch.save(resnet50(5, NORMALISED), path)
    with pytest.raises(CellarError, match="was trained on pixels"):
        weights.load_weights(models.build("resnet50_vggface2", 5), path, "vggface2")
    weights.load_weights(models.build("resnet50_vggface2", 5), path, "unit")
