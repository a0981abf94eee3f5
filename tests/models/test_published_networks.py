"""ResNet-18 and InceptionV3 are torchvision's, MobileNet the published one: keys, sizes, what they compute."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cellar import models
from cellar.data.inputs.augmentation import build_augmentation
from cellar.errors import CellarError
from cellar.models.inception_v3 import AuxiliaryHead, SmallMapPool


def on_meta(name: str, classes: int) -> nn.Module:
    with torch.device("meta"):
        return models.build(name, classes)


def torchvisions(name: str, classes: int) -> nn.Module:
    options = {"init_weights": True} if name == "inception_v3" else {}
    return getattr(torchvision.models, name)(num_classes=classes, **options)


@pytest.mark.parametrize("name", ["resnet18", "inception_v3"])
def test_keys_and_shapes_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        expected = {key: value.shape for key, value in torchvisions(name, 105).state_dict().items()}
    assert {key: value.shape for key, value in on_meta(name, 105).state_dict().items()} == expected


@torch.no_grad()
@pytest.mark.parametrize(("name", "size"), [("resnet18", 64), ("inception_v3", 96)])
def test_logits_are_torchvisions(name: str, size: int) -> None:
    torch.manual_seed(0)
    model, x = models.build(name, 5).eval(), torch.rand(2, 3, size, size)
    with torch.device("meta"):
        other = torchvisions(name, 5)
    other.load_state_dict(model.state_dict(), assign=True)
    torch.testing.assert_close(model(x), other.eval()(x))


def calibrated(name: str, size: int) -> nn.Module:
    """Random weights, and batch norms that know their inputs as trained ones do: else a wrong input would hardly show."""
    torch.manual_seed(0)
    model = models.build(name, 5).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of what is seen
    with torch.no_grad():
        model(torch.rand(16, 3, size, size) * 2 - 1)
    return model.eval()


@torch.no_grad()
def test_inceptions_published_weights_are_fed_as_torchvision_feeds_them() -> None:
    """weights=IMAGENET1K_V1 turns transform_input on, and its preset normalises by ImageNet's mean and deviation."""
    preset = torchvision.models.Inception_V3_Weights.IMAGENET1K_V1.transforms()
    model, pixels = calibrated("inception_v3", 96).double(), torch.randint(256, (4, 3, 96, 96), dtype=torch.uint8)
    published = torchvision.models.inception_v3(num_classes=5, init_weights=False, transform_input=True).double()
    published.load_state_dict(model.state_dict())
    mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1) for values in (preset.mean, preset.std))
    expected = published.eval()((pixels / 255.0 - mean) / std)

    def logits(normalisation: str) -> Tensor:
        return model(build_augmentation("flip", normalisation).normalise(pixels).double())

    torch.testing.assert_close(logits("symmetric"), expected, rtol=2e-4, atol=2e-4)
    spread = expected.std(0).max()  # of what tells images apart
    assert (logits("imagenet") - expected).abs().max() > spread


@torch.no_grad()
def test_resnet18_vggface2_is_torchvisions_with_the_first_pool_of_vggface2() -> None:
    """nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True), as VGGFace2-pytorch has it."""
    model, x = calibrated("resnet18_vggface2", 64), torch.rand(2, 3, 65, 64)
    other = torchvision.models.resnet18(num_classes=5)
    other.load_state_dict(model.state_dict())
    as_cited = other.eval()(x)
    other.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True)
    torch.testing.assert_close(model(x), other(x))
    assert (as_cited - other(x)).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "expected"), [("resnet18_vggface2", 11_230_377), ("resnet18_vggface2+connector", 12_442_281)]
)
def test_resnet18_vggface2_has_the_parameters_of_resnet18(name: str, expected: int) -> None:
    assert sum(value.numel() for value in on_meta(name, 105).parameters()) == expected
    assert list(on_meta(name, 105).state_dict()) == list(on_meta(name.replace("_vggface2", ""), 105).state_dict())


@pytest.mark.parametrize(("side", "same"), [(17, True), (20, True), (12, False), (4, False)])
def test_the_auxiliary_head_is_torchvisions_where_that_works(side: int, same: bool) -> None:
    """17x17 comes of 299x299, 12x12 of the study's 224x224, 4x4 of 96x96; below 17x17 torchvision's fails."""
    torch.manual_seed(0)
    ours, other = AuxiliaryHead(768, 5).eval(), torchvision.models.inception.InceptionAux(768, 5).eval()
    other.load_state_dict(ours.state_dict())
    x = torch.rand(1, 768, side, side)
    if same:
        torch.testing.assert_close(ours(x), other(x))
    else:
        assert ours(x).shape == (1, 5)
        with pytest.raises(RuntimeError, match=r"Kernel size can't be greater|Output size is too small"):
            other(x)


def test_inception_gives_both_heads_in_train_mode_only() -> None:
    torch.manual_seed(0)
    model, x = models.build("inception_v3", 5), torch.rand(2, 3, 96, 96)
    logits, auxiliary = model(x)
    assert logits.shape == auxiliary.shape == (2, 5)
    auxiliary.sum().backward()
    touched = {name.partition(".")[0] for name, value in model.named_parameters() if value.grad is not None}
    assert {"AuxLogits", "Mixed_6e"} <= touched and not {"fc", "Mixed_7a"} & touched
    assert model.eval()(x).shape == (2, 5)


@pytest.mark.parametrize("name", ["resnet18", "inception_v3"])
def test_first_weights_are_torchvisions_and_follow_the_seed(name: str) -> None:
    def state(make: Callable[[int], nn.Module], seed: int) -> dict[str, Tensor]:
        torch.manual_seed(seed)
        return make(5).state_dict()

    ours = partial(models.build, name)
    first, again, other = state(ours, 0), state(partial(torchvisions, name), 0), state(ours, 1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["fc.weight"], other["fc.weight"])


def test_inception_takes_75_pixels_and_no_fewer() -> None:
    models.check_input_size("inception_v3", 75)
    with pytest.raises(CellarError, match=r"inception_v3 does not take images of 74 x 74 pixels \(75 x 75 it does\)"):
        models.check_input_size("inception_v3", 74)


def test_mobilenet_has_27_convolutions_and_the_published_keys() -> None:
    """137 tensors in mobilenet_sgd_rmsprop_69.526.tar, which is older than batch norms' counters."""
    model = on_meta("mobilenet_v1", 1000)
    assert sum(isinstance(module, nn.Conv2d) for module in model.modules()) == 27
    state = {key: tuple(value.shape) for key, value in model.state_dict().items() if "num_batches" not in key}
    assert len(state) == 137
    assert list(state)[:7] == [
        "model.0.0.weight",
        *(f"model.0.1.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
        "model.1.0.weight",
        "model.1.1.weight",
    ]
    shapes = {"model.0.0": (32, 3, 3, 3), "model.1.0": (32, 1, 3, 3), "model.1.3": (64, 32, 1, 1)}
    shapes |= {"model.12.0": (512, 1, 3, 3), "model.13.3": (1024, 1024, 1, 1), "fc": (1000, 1024)}
    assert {key: state[f"{key}.weight"] for key in shapes} == shapes


def test_mobilenet_halves_the_image_five_times() -> None:
    sides = []
    model = on_meta("mobilenet_v1", 2)
    for layer in list(model.get_submodule("model"))[:-1]:
        layer.register_forward_hook(lambda _, inputs, output: sides.append(output.shape[-1]))
    model(torch.empty(1, 3, 224, 224, device="meta"))
    assert sides == [112, 112, 56, 56, 28, 28, *[14] * 6, 7, 7]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sides", [(3, 3), (4, 12), (7, 5), (12, 12), (16, 16)])
def test_inceptions_small_maps_are_pooled_as_torch_pools_them_to_the_bit(
    sides: tuple[int, int], precision: torch.dtype
) -> None:
    """In the layout of all networks here; torch's own derivative is one that a GPU refuses where bits have to be the same."""
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        values = torch.randn(shape, generator=generator).to(precision)
        return values.contiguous(memory_format=torch.channels_last).requires_grad_()

    x, weight = drawn(2, 768, *sides), drawn(2, 768, 5, 5)
    ours, own = SmallMapPool.apply(x), nn.functional.adaptive_avg_pool2d(x, 5)
    assert torch.equal(ours, own)
    for found, expected in zip(torch.autograd.grad(ours, x, weight), torch.autograd.grad(own, x, weight), strict=True):
        assert torch.equal(found, expected) and found.stride() == expected.stride()
