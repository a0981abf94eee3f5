"""ResNet-50 of VGGFace2: Caffe's layout, which torchvision's network of the same keys is not."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as f
import torchvision
from torch import Tensor, nn

from cellar import models

State = dict[str, Tensor]
BLOCKS = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}


@pytest.fixture(scope="module")
def model() -> Iterator[nn.Module]:
    """With running statistics of its own, so that no batch norm is without effect."""
    torch.manual_seed(0)
    made = models.build("resnet50_vggface2", 5)
    with torch.no_grad():
        made(torch.rand(2, 3, 64, 64))
    yield made.eval()


def norm(x: Tensor, w: State, key: str) -> Tensor:
    return f.batch_norm(x, *(w[f"{key}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))


def block(x: Tensor, w: State, key: str, stride: int) -> Tensor:
    """The stride stands in the first 1x1, as in Caffe's prototxt."""
    out = f.relu(norm(f.conv2d(x, w[f"{key}.conv1.weight"], stride=stride), w, f"{key}.bn1"))
    out = f.relu(norm(f.conv2d(out, w[f"{key}.conv2.weight"], padding=1), w, f"{key}.bn2"))
    out = norm(f.conv2d(out, w[f"{key}.conv3.weight"]), w, f"{key}.bn3")
    if f"{key}.downsample.0.weight" in w:
        x = norm(f.conv2d(x, w[f"{key}.downsample.0.weight"], stride=stride), w, f"{key}.downsample.1")
    return f.relu(out + x)


def by_hand(x: Tensor, w: State) -> Tensor:
    """Logits at 224x224, with VGGFace2's own 7x7 pool."""
    x = f.relu(norm(f.conv2d(x, w["conv1.weight"], stride=2, padding=3), w, "bn1"))
    x = f.max_pool2d(x, 3, stride=2, padding=0, ceil_mode=True)
    for name, count in BLOCKS.items():
        for number in range(count):
            x = block(x, w, f"{name}.{number}", stride=2 if name != "layer1" and number == 0 else 1)
    assert x.shape[-2:] == (7, 7)
    return f.linear(f.avg_pool2d(x, 7).flatten(1), w["fc.weight"], w["fc.bias"])


@torch.no_grad()
def test_logits_are_the_published_layers_and_not_torchvisions(model: nn.Module) -> None:
    x = torch.rand(1, 3, 224, 224)
    logits = model(x)
    torch.testing.assert_close(logits, by_hand(x, model.state_dict()), rtol=1e-4, atol=1e-4)
    with torch.device("meta"):
        other = torchvision.models.resnet50(num_classes=5)
    other.load_state_dict(model.state_dict(), assign=True)  # the same keys and shapes
    difference = (other.eval()(x) - logits).abs().max()
    assert difference > 0.01 * logits.std()


@torch.no_grad()
def test_the_first_pool_rounds_up_without_padding(model: nn.Module) -> None:
    pool = model.get_submodule("maxpool")
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert pool(x).tolist() == [[[[10, 11], [14, 15]]]]


@torch.no_grad()
def test_other_sizes_have_features_too(model: nn.Module) -> None:
    for size in (32, 48, 96):
        found = model.features(torch.rand(1, 3, size, size))
        assert found.shape == (1, 2048) and found.min() >= 0
