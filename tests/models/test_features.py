"""Every network of the small-dataset study: its count, its features, its last layer, with a connector and without."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.engine import profiling
from cellar.errors import CellarError

PARAMETERS = {  # at 105 classes, as the paper prints them or its authors' code has them
    "convnet9": 17_625_833,
    "resnet50_vggface2": 23_723_177,
    "resnet18": 11_230_377,
    "inception_v3": 24_639_154,
    "mobilenet_v1": 3_314_601,
    "convnet9+connector": 21_822_185,
    "resnet18+connector": 12_442_281,
    "resnet50_vggface2+sigmoid": 27_919_529,
}
SIZES = {"convnet9": 146, "resnet50_vggface2": 32, "resnet18": 32, "inception_v3": 75, "mobilenet_v1": 32}
BatchNorm = torch.nn.modules.batchnorm._BatchNorm
SUFFIXED = [f"{name}+{suffix}" for name in SIZES for suffix in models.SUFFIXES]


def trained_once(name: str) -> nn.Module:
    """In eval mode, its running statistics those of a batch: without them little reaches an untrained last layer."""
    torch.manual_seed(0)
    model = models.build(name, 3)
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.momentum = 1.0
    with torch.no_grad():
        model(images(name))
    return model.eval()


def images(name: str) -> Tensor:
    size = SIZES[name.partition("+")[0]]
    return torch.rand(4, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_known_number(name: str) -> None:
    with torch.device("meta"):
        assert profiling.count(profiling.build(name, 105))["parameters"] == PARAMETERS[name]


@torch.no_grad()
@pytest.mark.parametrize("name", [*SIZES, *SUFFIXED])
def test_logits_are_the_last_layer_of_the_features(name: str) -> None:
    model, x = trained_once(name), images(name)
    features = model.features(x)
    assert features.shape == (4, model.feature_dim)
    assert features.std(0).max() > 0.01
    assert torch.equal(model.get_submodule(model.last_layer)(features), model(x))


@torch.no_grad()
@pytest.mark.parametrize("name", SIZES)
def test_channels_last_and_bfloat16_on_the_cpu(name: str) -> None:
    torch.manual_seed(0)
    model, x = models.build(name, 3).eval(), images(name)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)  # so that what goes in comes out at about its own scale
    exact = model.features(x)
    model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model.features(x), exact, rtol=1e-3, atol=1e-3 * float(exact.abs().max()))
    with torch.autocast("cpu", torch.bfloat16):
        rough = model.features(x).float()
    assert rough.shape == exact.shape
    assert nn.functional.cosine_similarity(rough, exact).min() > 0.99


@torch.no_grad()
def test_a_connector_gives_raw_features_and_the_sigmoid_bounded_ones() -> None:
    raw, x = trained_once("mobilenet_v1+connector"), images("mobilenet_v1")
    bounded = models.build("mobilenet_v1+sigmoid", 3).eval()
    bounded.load_state_dict(raw.state_dict())
    inner = raw.get_submodule("trunk").features(x)
    torch.testing.assert_close(raw.features(x), inner @ raw.connector.weight.T + raw.connector.bias)
    torch.testing.assert_close(bounded.features(x), torch.sigmoid(raw.features(x)))
    assert raw.features(x).min() < 0
    assert bounded.features(x).min() > 0 and bounded.features(x).max() < 1


def test_a_trunk_has_no_last_layer_of_its_own() -> None:
    with torch.device("meta"):
        keys = models.build("resnet18+connector", 3).state_dict()
    assert {key for key in keys if "fc" in key} == {"fc.weight", "fc.bias"}
    assert {"trunk.layer4.1.conv2.weight", "connector.weight"} <= set(keys)


@pytest.mark.parametrize("name", ["convnet9", "convnet9+connector", "convnet9+sigmoid"])
def test_the_module_of_a_name_is_its_networks(name: str) -> None:
    assert models.module_of(name) == "cellar.models.convnet9"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("convnet9+conector", r"'convnet9\+conector' ends in \+conector; known endings: \+connector, \+sigmoid"),
        ("convnet9+", r"'convnet9\+' ends in \+;"),
        ("convnet+sigmoid", r"no model is called 'convnet\+sigmoid' \(did you mean 'convnet9\+sigmoid'\?\)"),
        ("cnn4+connector", r"cnn4 takes no \+connector; these do: convnet9, resnet50_vggface2"),
    ],
)
def test_a_name_with_a_wrong_suffix_is_one_line(name: str, line: str) -> None:
    for use in (models.module_of, lambda name: models.build(name, 3)):
        with pytest.raises(CellarError, match=line) as caught:
            use(name)
        assert "\n" not in str(caught.value)


def test_a_connector_needs_the_size_that_its_trunk_needs() -> None:
    with pytest.raises(CellarError, match=r"convnet9\+connector does not take images of 145 x 145"):
        models.check_input_size("convnet9+connector", 145)


def test_names_are_checked_without_torch() -> None:
    code = (
        "import sys; from cellar import models; models.module_of('convnet9+sigmoid'); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
