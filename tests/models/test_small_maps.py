"""A fitted convolution is the plain one: the same outputs, gradients and state dict, with less work."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from cellar import models
from cellar.engine import runtime
from cellar.errors import CellarError
from cellar.methods.base import cross_entropy
from cellar.models.small_maps import FittedConv2d, fit, fitted

SHAPES = [(1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (4, 4), (3, 1)]
KERNELS = [
    (3, 1, 1),
    (3, 2, 1),
    (5, 1, 2),
    (3, 3, 1),
    (1, 1, 0),
    (1, 2, 0),
    (2, 2, 1),
    (5, 4, 4),
    ((1, 3), (1, 2), (0, 1)),
]
SHAPE = (4, 3, 48, 48)
NETWORKS = [("resemotenet_c", 48), ("resemotenet_c", 64), ("resnet18", 64), ("inception_v3", 80), ("mobilenet_v1", 64)]
OF_PAIRS = [  # of CIFAR-100's distillation pairs; in groups are nearly all convolutions of shufflenet_v1
    ("resnet20", 16),
    ("wrn_16_2", 16),
    ("vgg8", 32),
    ("mobilenet_v2_half", 32),
    ("shufflenet_v1", 4),
    ("shufflenet_v2", 32),
    ("resnet50_cifar", 32),
]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def pair(size: tuple[int, int], *kernel: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """A fitted and a plain convolution with the same weights, in float64."""
    plain = nn.Conv2d(4, 6, *kernel).double()
    layer = copy.deepcopy(plain)
    FittedConv2d.replace(layer, size)
    return layer, plain


def networks(name: str, size: int, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, nn.Module]:
    """A fitted and a plain network with the same weights."""
    plain = models.build(name, 7).to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network = copy.deepcopy(plain)
    fit(network, (4, 3, size, size), "bf16")
    assert fitted(network)
    return network, plain


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """By the plain network's names; zero where a weight touches no map."""
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    for prefix, layer in model.named_modules():
        if isinstance(layer, FittedConv2d):
            whole = torch.zeros_like(layer.kernel)
            core = found.pop(f"{prefix}.core".lstrip("."))
            whole[layer.part] = core.view(len(whole), *whole[layer.part].shape[2:], -1).permute(0, 3, 1, 2)
            found[f"{prefix}.weight".lstrip(".")] = whole
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_outputs_and_gradients_are_those_of_the_plain_convolution(
    shape: tuple[int, int], kernel: tuple[int, ...]
) -> None:
    layer, plain = pair(shape, *kernel)
    results = []
    for module in (layer, plain):
        x = torch.linspace(-1, 1, 3 * 4 * shape[0] * shape[1], dtype=torch.float64).view(3, 4, *shape).requires_grad_()
        out = module(x)
        (out * torch.linspace(-1, 2, out.numel()).view_as(out)).sum().backward()
        results.append({"output": out.detach(), "input": x.grad, **gradients(module)})
    torch.testing.assert_close(*results)
    assert results[1].keys() == {"output", "input", "weight", "bias"}


def test_it_can_be_differentiated_twice() -> None:
    """Meta-learning goes through a gradient's own gradient."""
    layer, _ = pair((2, 2), 3, 1, 1)
    x = torch.randn(2, 4, 2, 2, dtype=torch.float64, requires_grad=True)

    def answer(x: Tensor, core: Tensor) -> Tensor:
        return functional_call(layer, {"core": core}, (x,)).pow(2)

    core = torch.randn(6, 36, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(answer, (x, core), fast_mode=True)
    assert torch.autograd.gradgradcheck(answer, (x, core), fast_mode=True)


@pytest.mark.parametrize(("name", "size"), [*NETWORKS, *OF_PAIRS])
def test_a_network_gives_the_same_outputs_and_keeps_its_state_dict(name: str, size: int) -> None:
    network, plain = networks(name, size, torch.float64)
    x = torch.randn(4, 3, size, size, dtype=torch.float64)
    torch.testing.assert_close(network.eval()(x), plain.eval()(x))
    whole, same = plain.state_dict(), network.state_dict()
    assert list(whole) == list(same) and all(torch.equal(whole[key], same[key]) for key in whole)
    other = models.build(name, 7).state_dict()
    assert not network.load_state_dict(other).missing_keys
    plain.load_state_dict(other)
    torch.testing.assert_close(network(x), plain(x))


def test_a_file_that_does_not_fit_is_refused() -> None:
    layer, plain = pair((1, 1), 3, 1, 1)
    with pytest.raises(RuntimeError, match="weight is \\(6, 4, 1, 1\\), not \\(6, 4, 3, 3\\)"):
        layer.load_state_dict(plain.state_dict() | {"weight": torch.zeros(6, 4, 1, 1)})
    with pytest.raises(RuntimeError, match=r"Missing key.*weight"):
        layer.load_state_dict({"bias": torch.zeros(6)})


def test_another_size_is_evaluated_as_by_the_plain_network_and_refused_in_a_training() -> None:
    network, plain = networks("resemotenet_c", 64)
    x = torch.randn(2, 3, 48, 40)
    with torch.inference_mode():
        torch.testing.assert_close(network.eval()(x), plain.eval()(x), rtol=1e-4, atol=1e-5)
    with pytest.raises(
        CellarError, match=r"^a convolution met feature maps of \d x \d and of \d x \d pixels in one training; "
    ):
        network.train()(x)


class Pyramid(nn.Module):
    """Applies one convolution to maps of two sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.alone = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 7, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        small = self.shared(nn.functional.max_pool2d(self.shared(x), 2))
        return self.alone(small).mean((2, 3))


def test_a_layer_that_meets_maps_of_two_sizes_stays_plain() -> None:
    network = Pyramid().train()
    fit(network, (1, 3, 4, 4), "fp32")
    assert type(network.shared) is nn.Conv2d and isinstance(network.alone, FittedConv2d) and network.training


OTHER_KINDS = {
    "groups": {"padding": 1, "groups": 2},
    "dilation": {"padding": 2, "dilation": 2},
    "same": {"padding": "same"},
    "reflect": {"padding": 1, "padding_mode": "reflect"},
    "wide padding": {"kernel_size": 1, "padding": 1},
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_convolution_of_another_kind_stays_plain(kind: str) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 64, **{"kernel_size": 3, **OTHER_KINDS[kind]}))
    ordinary = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 64, 3, padding=1))
    for one in (network, ordinary):
        fit(one, (1, 3, 2, 2), "bf16")
    assert type(network[1]) is nn.Conv2d and isinstance(ordinary[1], FittedConv2d)


class Studied(nn.Module):
    """A study's network: `first` and `second` may share weights, `second` may be called or read in ways of its own."""

    def __init__(self, call: str = "") -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = self.second(input=x) if self.call == "named" else self.second(x)
        return x.mean((2, 3)) + (self.second.weight.mean() if self.call == "read" else 0)


def test_shared_and_derived_weights_stay_plain() -> None:
    tied = nn.Sequential(nn.Conv2d(3, 32, 1), nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1))
    tied[2].weight = tied[1].weight
    with pytest.warns(FutureWarning, match="deprecated"):  # and still in use
        old = nn.Sequential(nn.Conv2d(3, 32, 1), nn.utils.weight_norm(nn.Conv2d(32, 32, 3, padding=1)))
    new = nn.Sequential(nn.Conv2d(3, 32, 1), nn.utils.parametrizations.weight_norm(nn.Conv2d(32, 32, 3, padding=1)))
    for network in (tied, old, new):
        fit(network, (1, 3, 2, 2), "fp32")
        assert fitted(network) == [network[0]]


def test_a_network_may_name_its_input_and_is_told_if_it_reads_a_weight() -> None:
    for call in ("", "named"):
        network = Studied(call)
        plain = copy.deepcopy(network)
        fit(network, (1, 3, 2, 2), "fp32")
        assert len(fitted(network)) == 2
        x = torch.randn(2, 3, 2, 2)
        torch.testing.assert_close(network(x), plain(x))
    network = Studied("read")
    fit(network, (1, 3, 2, 2), "fp32")
    with pytest.raises(CellarError, match=r"^a network reads the weight .*; make it of a class of its own"):
        network(x)


def test_finding_the_maps_changes_no_mode_and_leaves_no_hook() -> None:
    network = models.build("resemotenet_c", 7).train()
    network.get_submodule("bn1").eval()
    before = [module.training for module in network.modules()]
    fit(network, SHAPE, "fp32")
    assert [module.training for module in network.modules()] == before
    assert not any(module._forward_hooks for module in network.modules())


def test_few_weights_for_many_pixels_stay_plain() -> None:
    """A layer of 64 outputs on 2x2 maps: 4 pixels for each image."""
    for images, precision, is_fitted in (
        (15, "fp32", True),
        (16, "fp32", False),
        (31, "bf16", True),
        (32, "bf16", False),
    ):
        network = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1))
        fit(network, (images, 3, 2, 2), precision)
        assert bool(fitted(network)) is is_fitted


def test_on_other_devices_all_stay_plain() -> None:
    assert not fitted(runtime.place(models.build("resemotenet_c", 7), torch.device("meta"), SHAPE))
    assert fitted(runtime.place(models.build("resemotenet_c", 7), torch.device("cpu"), SHAPE))


def test_restoring_gives_the_plain_network_back() -> None:
    network, plain = networks("resemotenet_c", 48)
    for layer in fitted(network):
        layer.restore()
    assert str(network) == str(plain) and [*dict(network.named_parameters())] == [*dict(plain.named_parameters())]
    assert torch.equal(network.eval()(torch.ones(1, 3, 48, 48)), plain.eval()(torch.ones(1, 3, 48, 48)))


def test_a_bare_layer_and_a_frozen_one_are_fitted_as_they_are() -> None:
    bare = nn.Conv2d(4, 6, 3, padding=1, bias=False)
    frozen = nn.Conv2d(6, 6, 3, padding=1).requires_grad_(False)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), bare, frozen)
    fit(network, (1, 3, 1, 1), "fp32")
    assert [name for name, one in network.named_parameters() if not one.requires_grad] == ["2.core", "2.bias"]
    assert list(network.state_dict()) == ["0.weight", "0.bias", "1.weight", "2.weight", "2.bias"]


def step(model: nn.Module, images: Tensor, precision: str = "fp32") -> dict[str, Tensor]:
    """Gradients of one training step; dropout draws the same numbers every time."""
    torch.manual_seed(1)
    model.zero_grad()
    with runtime.autocast(images.device, precision):
        logits = model.train()(images)
    cross_entropy(logits, torch.arange(len(images)) % 7).backward()
    return gradients(model)


@pytest.mark.parametrize("size", [48, 64])
@pytest.mark.parametrize("name", ["resemotenet_c", "resemotenet_b"])
def test_fp32_gradients_differ_by_rounding_alone(name: str, size: int) -> None:
    images = torch.randn(16, 3, size, size).contiguous(memory_format=torch.channels_last)
    mine, theirs = (step(network, images) for network in networks(name, size))
    largest = max(gradient.abs().max() for gradient in theirs.values())
    assert mine.keys() == theirs.keys()
    assert max((mine[key] - theirs[key]).abs().max() for key in theirs) < 1e-5 * largest


@pytest.mark.parametrize(("name", "size"), OF_PAIRS)
def test_a_training_step_has_the_gradients_of_the_plain_network(name: str, size: int) -> None:
    images = torch.randn(4, 3, size, size, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    mine, theirs = (step(network, images) for network in networks(name, size, torch.float64))
    largest = max(gradient.abs().max() for gradient in theirs.values())
    assert mine.keys() == theirs.keys() and all(gradient.isfinite().all() for gradient in theirs.values())
    assert max((mine[key] - theirs[key]).abs().max() for key in theirs) < 1e-12 * largest


def distances(model: nn.Module, images: Tensor, exact: dict[str, Tensor]) -> Iterator[float]:
    """Of each tensor's bf16 gradient from the exact one, relative."""
    for key, gradient in step(model, images, "bf16").items():
        if exact[key].norm() > 1e-6:  # a bias before a batch norm has rounding noise for a gradient
            yield float((gradient - exact[key]).norm() / exact[key].norm())


@pytest.mark.parametrize("size", [48, 64])
def test_bf16_gradients_are_as_near_to_fp32_as_those_of_the_plain_network(size: int) -> None:
    images = torch.randn(16, 3, size, size).contiguous(memory_format=torch.channels_last)
    network, plain = networks("resemotenet_c", size)
    exact = step(plain, images)
    mine, theirs = (torch.tensor([*distances(model, images, exact)]).median() for model in (network, plain))
    assert 0 < mine < 1.1 * theirs


def test_resemotenet_does_less() -> None:
    def flops(network: nn.Module) -> int:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network.eval()(torch.zeros(1, 3, 48, 48))
        return counter.get_total_flops()

    network, plain = networks("resemotenet_c", 48)
    assert flops(network) < 0.9 * flops(plain)
    assert sum(one.numel() for one in network.parameters()) < 0.5 * sum(one.numel() for one in plain.parameters())
