"""Networks that serve feature maps: what they serve is what their forward pass computes."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar import models
from cellar.engine import runtime
from cellar.errors import CellarError
from cellar.methods.maps import Regressor, pooled
from cellar.models import features, small_maps
from cellar.models.features import FeatureNetwork, Features

BATCH = (2, 3, 32, 32)


def serves(name: str) -> bool:
    with torch.device("meta"):
        return isinstance(models.build(name, 2), FeatureNetwork)


SERVING = [name for name in models.known() if serves(name)]
SHAPES = {  # channels and side of each map for images of 32x32, as RepDistiller's networks have them; cnn4 by its layers
    "resnet8x4": [(32, 32), (64, 32), (128, 16), (256, 8)],
    "resnet32x4": [(32, 32), (64, 32), (128, 16), (256, 8)],
    "cnn4": [(32, 32), (64, 16), (128, 4), (256, 4)],
}


def built(name: str, precision: str | None = None) -> nn.Module:
    torch.manual_seed(0)
    model = models.build(name, 5)
    return runtime.place(model, torch.device("cpu"), BATCH, precision) if precision else model


def images() -> Tensor:
    return torch.randn(BATCH, generator=torch.Generator().manual_seed(1))


def test_the_networks_of_the_benchmarks_serve_their_maps() -> None:
    assert set(SHAPES) <= set(SERVING) and not {"convnet9", "resnet18", "mobilenet_v1"} & set(SERVING)


@pytest.mark.parametrize("precision", [None, "fp32"])  # fp32: convolutions of small maps as matrix products
@pytest.mark.parametrize("name", ["cnn4", "resnet8x4", "vgg8", "wrn_16_2", "shufflenet_v1"])
def test_features_are_those_of_the_forward_pass_bit_for_bit(name: str, precision: str | None) -> None:
    """In training too: outputs, running statistics and gradients."""
    plain, serving, x = built(name, precision), built(name, precision), images()
    for training in (True, False):
        logits = plain.train(training)(x)
        served = serving.train(training).features(x)
        assert torch.equal(served.logits, logits)
        assert torch.equal(serving.classifier(served.vector), served.logits)
    for output in (plain.train()(x), serving.train().features(x).logits):
        functional.cross_entropy(output, torch.tensor([0, 1])).backward()
    for (key, one), (_, other) in zip(plain.named_parameters(), serving.named_parameters(), strict=True):
        assert torch.equal(one.grad, other.grad), key
    assert all(map(torch.equal, plain.state_dict().values(), serving.state_dict().values()))


@pytest.mark.parametrize("name", SHAPES)
def test_maps_are_the_stem_and_each_stage(name: str) -> None:
    served = built(name).eval().features(images())
    assert [(maps.shape[1], maps.shape[2]) for maps in served.maps] == SHAPES[name]
    assert served.preactivations[0] is served.maps[0]
    for maps, before in zip(served.maps[1:], served.preactivations[1:], strict=True):
        activated = not torch.equal(maps, before)  # nothing follows cnn4's second convolution
        assert torch.equal(maps, torch.relu(before) if activated else before)
        assert before.min() < 0 and activated == (name != "cnn4" or maps.shape[1] != 64)


def test_maps_are_what_the_layers_give() -> None:
    model, found, x = built("resnet8x4").eval(), list[Tensor](), images()
    for stage in (model.layer1, model.layer2, model.layer3):
        stage.register_forward_hook(lambda _, inputs, output: found.append(output.clone()))
    model(x)
    assert all(map(torch.equal, model.features(x).maps[1:], found))
    norms = [model.get_submodule(f"layer{stage}.0.bn2") for stage in (1, 2, 3)]
    assert list(model.stage_norms) == norms


@pytest.mark.parametrize("name", [name for name in SERVING if name != "resnet110"])
def test_shapes_are_known_without_memory(name: str) -> None:
    known, served = features.of(name, str(models.file_of(name)), 32, 2), built(name).eval().features(images())
    sizes = [tuple(tensor.shape) for tensor in (*known.maps, *known.preactivations, known.vector)]
    assert sizes == [tuple(tensor.shape) for tensor in (*served.maps, *served.preactivations, served.vector)]
    assert known.vector.device.type == "meta"
    norms = built(name).stage_norms
    assert not norms or [norm.num_features for norm in norms] == [maps.shape[1] for maps in served.preactivations[1:]]


def test_a_network_without_maps_or_images_that_it_does_not_take_are_one_line() -> None:
    with pytest.raises(
        CellarError, match=r"mobilenet_v1 serves no feature maps; these do: cnn4, .*resnet8x4"
    ) as caught:
        features.of("mobilenet_v1", str(models.file_of("mobilenet_v1")), 32, 2)
    assert str(caught.value).rpartition(": ")[2].split(", ") == SERVING
    with pytest.raises(CellarError, match="cnn4 does not take images of 48 x 48 pixels"):
        features.of("cnn4", str(models.file_of("cnn4")), 48, 2)


def test_a_serving_network_has_small_maps_fitted() -> None:
    """Else the test above with matrix products would compare plain convolutions."""
    assert small_maps.fitted(built("cnn4", "fp32")) and small_maps.fitted(built("resnet8x4", "fp32"))


def test_map_changes_every_tensor() -> None:
    maps, doubled = torch.arange(3.0), partial(torch.mul, other=2)
    changed = Features((maps, maps), (maps,), maps, maps).map(lambda tensor: doubled(tensor))
    assert isinstance(changed, Features) and (len(changed.maps), len(changed.preactivations)) == (2, 1)
    assert all(torch.equal(one, maps * 2) for one in (*changed.maps, *changed.preactivations, *changed[2:]))


@pytest.mark.parametrize(("whole", "parts"), [((8, 8), (4, 4)), ((7, 7), (3, 3)), ((8, 6), (5, 4)), ((5, 9), (1, 2)), ((4, 4), (4, 4))])  # fmt: skip
def test_pooling_is_pytorchs_adaptive_average(whole: tuple[int, int], parts: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *whole, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = pooled(maps, parts), functional.adaptive_avg_pool2d(maps, parts)
    torch.testing.assert_close(ours, theirs)
    (one,), (other,) = (torch.autograd.grad(output.pow(3).sum(), maps) for output in (ours, theirs))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("student", "teacher", "gives"), [(8, 4, 4), (4, 8, 8), (7, 5, 5), (6, 6, 6), (5, 8, 5)])
def test_a_regressor_gives_the_teachers_size_where_it_can(student: int, teacher: int, gives: int) -> None:
    own, taught = torch.zeros(2, 3, student, student), torch.zeros(2, 5, teacher, teacher)
    assert Regressor(own, taught)(own).shape == (2, 5, gives, gives)
