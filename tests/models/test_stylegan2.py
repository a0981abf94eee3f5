"""The generator against a slow one written out image by image and channel by channel in float64, and what must hold."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d, correlate2d
from torch import Tensor

from cellar.models.stylegan2.network import Generator, Settings
from cellar.models.stylegan2.ops import low_pass, modulated_conv, upsample

SMALL = Settings(z_dim=5, w_dim=6, img_resolution=16, num_layers=3, channel_base=64, channel_max=7, conv_clamp=1.2)
TAPS = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


@pytest.fixture(scope="module")
def generator() -> Generator:
    """A generator whose every number matters: biases, noise strengths and the mean of w are not zero."""
    torch.manual_seed(0)
    made = Generator(SMALL)
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if name.endswith(("bias", "noise_strength", "w_avg")):
                value.add_(0.5 * torch.randn(value.shape))
    return made.requires_grad_(False)


@pytest.fixture(scope="module")
def z() -> Tensor:
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(1))


class SlowGenerator:
    """The published definition, one image at a time: weights of its own for each, filters and zeros made explicit."""

    def __init__(self, generator: Generator) -> None:
        self.numbers: dict[str, Any] = {n: v.double().numpy() for n, v in generator.state_dict().items()}

    def __call__(self, z: np.ndarray, psi: float = 1.0, cutoff: int = 6) -> np.ndarray:
        w = z / math.sqrt(np.mean(z**2) + 1e-8)
        for layer in range(SMALL.num_layers):
            w = leaky(self.dense(f"mapping.fc{layer}", w, rate=0.01))
        near = self.numbers["mapping.w_avg"] + psi * (w - self.numbers["mapping.w_avg"])
        return self.image([near] * cutoff + [w] * (6 - cutoff))

    def image(self, w: Sequence[np.ndarray]) -> np.ndarray:
        """From a w for each layer: conv1 of 4; conv0 and conv1 of 8 and 16, and their colours with the next layer's."""
        x = self.layer("b4.conv1", self.numbers["synthesis.b4.const"], w[0])
        image = self.colours("b4.torgb", x, w[1])
        for side, first in ((8, 1), (16, 3)):
            x = self.layer(f"b{side}.conv0", x, w[first], up=True)
            x = self.layer(f"b{side}.conv1", x, w[first + 1])
            image = np.stack([resampled(plane, before=2, after=1) for plane in image])
            image = image + self.colours(f"b{side}.torgb", x, w[first + 2])
        return image

    def dense(self, name: str, x: np.ndarray, rate: float = 1.0) -> np.ndarray:
        weight, bias = self.numbers[f"{name}.weight"], self.numbers[f"{name}.bias"]
        return weight * rate / math.sqrt(len(x)) @ x + bias * rate

    def layer(self, name: str, x: np.ndarray, w: np.ndarray, up: bool = False) -> np.ndarray:
        name = f"synthesis.{name}"
        own = self.numbers[f"{name}.weight"] * self.dense(f"{name}.affine", w)[None, :, None, None]
        own = own / np.sqrt((own**2).sum((1, 2, 3), keepdims=True) + 1e-8)
        if up:
            x = np.stack([resampled(plane, before=3, after=2) for plane in x])
            sums = [sum(convolve2d(p, k, "valid") for p, k in zip(x, kernels, strict=True)) for kernels in own]
        else:
            sums = [sum(correlate2d(p, k, "same") for p, k in zip(x, kernels, strict=True)) for kernels in own]
        noise = self.numbers[f"{name}.noise_const"] * self.numbers[f"{name}.noise_strength"]
        out = np.stack(sums) + noise + self.numbers[f"{name}.bias"][:, None, None]
        return np.clip(leaky(out), -1.2, 1.2)

    def colours(self, name: str, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        name = f"synthesis.{name}"
        styles = self.dense(f"{name}.affine", w) / math.sqrt(len(x))
        own = self.numbers[f"{name}.weight"][:, :, 0, 0] * styles
        return np.clip(np.einsum("oi,ihw->ohw", own, x) + self.numbers[f"{name}.bias"][:, None, None], -1.2, 1.2)


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x) * math.sqrt(2)


def resampled(plane: np.ndarray, before: int, after: int) -> np.ndarray:
    """A zero after every pixel along both sides, zeros around, the filter with four times its strength."""
    stuffed = np.zeros((2 * plane.shape[0], 2 * plane.shape[1]))
    stuffed[::2, ::2] = plane
    return convolve2d(np.pad(stuffed, [(before, after)] * 2), 4 * TAPS, "valid")


@pytest.mark.parametrize(("psi", "cutoff"), [(1.0, 6), (0.7, 6), (0.4, 2)])
def test_images_are_those_of_the_definition(generator: Generator, z: Tensor, psi: float, cutoff: int) -> None:
    images = generator(z, psi, cutoff)
    assert images.shape == (3, 3, 16, 16) and images.dtype == torch.float32
    expected = np.stack([SlowGenerator(generator)(row, psi, cutoff) for row in z.double().numpy()])
    assert np.abs(expected).max() > 1 and expected.std() > 0.3
    np.testing.assert_allclose(images.numpy(), expected, atol=2e-5)


def test_every_layer_has_a_w_of_its_own(generator: Generator) -> None:
    w = torch.randn(1, 6, 6)
    expected = SlowGenerator(generator).image(list(w[0].double().numpy()))
    np.testing.assert_allclose(generator.synthesis(w)[0].numpy(), expected, atol=2e-5)


def test_every_part_of_the_definition_is_seen_in_the_image(generator: Generator, z: Tensor) -> None:
    """So the comparison above can fail in each of them: clamp, noise, the last layers."""
    without = Generator(Settings(**{**vars(SMALL), "conv_clamp": None}))
    without.load_state_dict(generator.state_dict())
    assert (without(z) - generator(z)).abs().max() > 0.1
    unused = {
        "mapping.w_avg",
        *(f"synthesis.{at}.resample_filter" for at in ("b4", "b4.conv1", "b8.conv1", "b16.conv1")),
    }
    for name, value in generator.state_dict().items():
        if name in unused:  # without truncation and upsampling
            continue
        changed = Generator(SMALL)
        changed.load_state_dict({**generator.state_dict(), name: value + 0.5})
        assert (changed(z) - generator(z)).abs().max() > 1e-3, name


def test_names_and_sizes_are_the_published_ones() -> None:
    with torch.device("meta"):
        names = dict(Generator(Settings(img_resolution=8)).state_dict())
        ffhq = Generator(Settings())
    layers = ["b4.conv1", "b8.conv0", "b8.conv1"]
    expected = {"mapping.w_avg", "synthesis.b4.const", "synthesis.b4.resample_filter", "synthesis.b8.resample_filter"}
    expected |= {f"mapping.fc{i}.{part}" for i in range(8) for part in ("weight", "bias")}
    own = ("weight", "bias", "affine.weight", "affine.bias")
    expected |= {f"synthesis.{at}.{part}" for at in [*layers, "b4.torgb", "b8.torgb"] for part in own}
    expected |= {
        f"synthesis.{at}.{part}" for at in layers for part in ("noise_const", "noise_strength", "resample_filter")
    }
    assert set(names) == expected
    assert names["synthesis.b8.conv0.noise_const"].shape == (8, 8)
    assert sum(value.numel() for value in ffhq.parameters()) == 30_370_060  # the network of FFHQ at 1024


def test_demodulated_weights_have_length_one() -> None:
    """A single lit pixel gives back the weights themselves: their squares sum to 1 for every filter and image."""
    torch.manual_seed(0)
    weight, styles = torch.randn(4, 1, 3, 3), torch.randn(2, 1) * 30
    x = torch.zeros(2, 1, 5, 5)
    x[:, :, 2, 2] = 1
    torch.testing.assert_close(modulated_conv(x, weight, styles).square().sum((2, 3)), torch.ones(2, 4))


def test_styles_of_zero_give_zeros() -> None:
    assert not modulated_conv(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 3, 3), torch.zeros(1, 2)).any()


def test_upsampling_keeps_an_even_picture_even() -> None:
    inside = upsample(torch.full((1, 2, 6, 6), 0.3), low_pass())[:, :, 2:-2, 2:-2]
    torch.testing.assert_close(inside, torch.full((1, 2, 8, 8), 0.3))


def test_truncation_draws_towards_the_mean(generator: Generator, z: Tensor) -> None:
    mean = generator.synthesis(generator.mapping.w_avg.expand(1, 6, 6))
    images = generator(z, 0.0)
    torch.testing.assert_close(images, mean.expand(3, -1, -1, -1), atol=1e-5, rtol=0)
    near, far = (generator(z, psi).var(0).mean() for psi in (0.2, 1.0))
    assert near < 0.3 * far


def test_a_cutoff_truncates_the_first_layers_only(generator: Generator, z: Tensor) -> None:
    full, cut = generator(z, 0.5), generator(z, 0.5, 2)
    assert torch.equal(generator(z, 0.5, 0), generator(z)) and torch.equal(generator(z, 0.5, 6), full)
    w = generator.mapping(z)
    near = generator.mapping.w_avg.lerp(w, 0.5)
    torch.testing.assert_close(cut, generator.synthesis(torch.stack([near, near, w, w, w, w], 1)))


def test_only_the_direction_of_z_counts(generator: Generator, z: Tensor) -> None:
    torch.testing.assert_close(generator(100 * z), generator(z), atol=1e-4, rtol=0)


def test_a_batch_is_its_images_one_by_one(generator: Generator, z: Tensor) -> None:
    torch.testing.assert_close(generator(z), torch.cat([generator(row[None]) for row in z]), atol=1e-5, rtol=0)


def test_the_number_of_resolutions_in_half_precision_changes_nothing(z: Tensor) -> None:
    torch.manual_seed(0)
    plain = Generator(SMALL).requires_grad_(False)
    mixed = Generator(Settings(**{**vars(SMALL), "num_fp16_res": 1})).requires_grad_(False)
    mixed.load_state_dict(plain.state_dict())
    assert torch.equal(mixed(z), plain(z)) and mixed(z).dtype == torch.float32


def test_noise_is_constant_unless_given(generator: Generator, z: Tensor) -> None:
    assert torch.equal(generator(z), generator(z))
    asked = []

    def none(batch: int, side: int) -> Tensor:
        asked.append((batch, side))
        return torch.zeros(batch, 1, side, side)

    assert (generator(z, noise=none) - generator(z)).abs().max() > 0.01
    assert asked == [(3, 4), (3, 8), (3, 8), (3, 16), (3, 16)]
