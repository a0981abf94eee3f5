"""Each transform against torchvision's of the same name, on images of the size at which the Pins study applies it."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as published

from cellar.data.inputs import transforms

SIDE = 224


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    """Three noisy images with a slope, (3, 3, 224, 224) from 0 to 255: no symmetry, and all colours."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(3, 3, SIDE, SIDE, generator=generator) * 155
    return noise + torch.linspace(0, 100, SIDE) * torch.tensor([0.2, 0.9, 0.5])[:, None, None]


def one_by_one(pixels: Tensor, amounts: list[float], transform: Callable[[Tensor, float], Tensor]) -> Tensor:
    return torch.stack([transform(image / 255, amount) * 255 for image, amount in zip(pixels, amounts, strict=True)])


def assert_close(found: Tensor, expected: Tensor, within: float = 0.02) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < within


def test_rotation(pixels: Tensor) -> None:
    degrees = [0, 44, 17]
    expected = one_by_one(pixels, degrees, lambda i, a: published.rotate(i, a, InterpolationMode.BILINEAR))
    found = transforms.rotate(pixels, torch.tensor(degrees))
    assert_close(found, expected)
    assert (found[1, :, 0, 0] == 0).all() and (found[1, :, 112, 112] > 0).all()


def test_a_quarter_turn_is_counter_clockwise() -> None:
    image = torch.zeros(1, 3, 9, 9)
    image[..., 4, 8] = 200  # right
    turned = transforms.rotate(image, torch.tensor([90]))
    assert turned[0, 0].argmax() == 4 and turned[0, 0, 0, 4] == pytest.approx(200, abs=0.01)  # up


@pytest.mark.parametrize("side", [224, 64, 65])
def test_keeping_the_middle(side: int) -> None:
    """As the study's code: torchvision's centre crop of int(side * share), padded back with ceil first, floor last."""
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(1)) + 0.1
    for kept in range(math.ceil(0.7 * side), side + 1):
        share = (kept + 0.25) / side
        missing = side - kept
        found = transforms.keep_middle(image[None], torch.tensor([share]))[0]
        if missing % 4 == 1:  # there torchvision crops a pixel further left than the code pads it back
            assert found.count_nonzero() == 3 * kept**2
            continue
        before, after = math.ceil(missing / 2), missing // 2
        cropped = published.center_crop(image, side * share)
        assert torch.equal(found, published.pad(cropped, [before, before, after, after])), kept


def test_every_image_has_its_own_share(pixels: Tensor) -> None:
    found = transforms.keep_middle(pixels, torch.tensor([0.7, 0.85, 1.0]))
    inside = [(found[row].amax((0, 1)) > 0).sum().item() for row in range(3)]
    assert inside == [156, 190, 224] and torch.equal(found[2], pixels[2])


def test_mirror(pixels: Tensor) -> None:
    assert torch.equal(transforms.mirror(pixels), published.hflip(pixels))


def test_blur(pixels: Tensor) -> None:
    sigmas = [0.1, 1.3, 5.0]
    expected = one_by_one(pixels, sigmas, lambda i, s: published.gaussian_blur(i, [5, 9], [s, s]))
    assert_close(transforms.blur(pixels, torch.tensor(sigmas)), expected)
    assert torch.allclose(transforms.blur(pixels[:1], torch.tensor([0.1])), pixels[:1], atol=1e-3)


@pytest.mark.parametrize("side", [8, 32, 64, 146])
def test_a_smaller_image_has_a_kernel_as_much_smaller(side: int) -> None:
    """The spread of the kernel in shares of the side is that at 224 (as far as pixels are fine enough to show it)."""
    for sigma in (2.0, 5.0):
        shares = []
        for pixels in (side, SIDE):
            weight = transforms.gaussian(torch.tensor([sigma * pixels / SIDE]), 9 * pixels / SIDE)[0].double()
            offset = torch.arange(len(weight)) - len(weight) // 2
            assert weight.sum() == pytest.approx(1, abs=1e-6) and torch.equal(weight, weight.flip(0))
            shares.append(float((weight * offset**2).sum().sqrt() / pixels))
        assert side < 64 or shares[0] == pytest.approx(shares[1], rel=0.25)
        assert shares[0] < 1.25 * shares[1]


def test_colour(pixels: Tensor) -> None:
    amounts = [(0.5, 1.5, 0.6, 0.5), (1.4, 0.7, 1.5, -0.21), (1.0, 1.0, 1.0, 0.08)]

    def expected(image: Tensor, row: float) -> Tensor:
        brightness, contrast, saturation, hue = amounts[int(row)]
        image = published.adjust_contrast(published.adjust_brightness(image, brightness), contrast)
        return published.adjust_hue(published.adjust_saturation(image, saturation), hue)

    found = transforms.jitter(pixels, *torch.tensor(amounts, dtype=torch.float64).T)
    assert_close(found, one_by_one(pixels, [0, 1, 2], expected))


def test_colours_by_hand() -> None:
    """Pure red by a third of the circle is green, by half of it cyan; grey has no hue to turn."""
    image = torch.tensor([[255.0, 0, 0], [255, 0, 0], [90, 90, 90]])[..., None, None]
    found = transforms.turn_hue(image, torch.tensor([1 / 3, -0.5, 0.4]))[..., 0, 0]
    assert_close(found, torch.tensor([[0.0, 255, 0], [0, 255, 255], [90, 90, 90]]), 0.01)


def test_erasing_by_hand() -> None:
    """A box of 0.24 of 10 x 10, ratio 6: 12 x 2, cut to 9 x 2; ratio 1 / 1.5: 4 high and 6 wide."""
    ones = torch.ones(2, 3, 10, 10)
    area, ratio = torch.tensor([0.24, 0.24]), torch.tensor([6.0, 1 / 1.5])
    found = transforms.erase(ones, area, ratio, torch.tensor([0.999, 0.0]), torch.tensor([0.0, 0.999]))
    assert found[0, 0, :9, 8:].max() == 0 and found[0].sum() == 3 * (100 - 18)
    assert found[1, 0, 6:, :6].max() == 0 and found[1].sum() == 3 * (100 - 24)


def test_images_need_not_be_square() -> None:
    image = torch.rand(1, 3, 20, 31, generator=torch.Generator().manual_seed(2)) * 255
    expected = published.rotate(image, 30, InterpolationMode.BILINEAR)
    assert_close(transforms.rotate(image, torch.tensor([30])), expected)
    assert transforms.blur(image, torch.tensor([2.0])).shape == image.shape


def test_blur_of_a_point_at_half_the_size() -> None:
    """At 112 pixels 5 x 9 is 2.5 x 4.5 and sigma is halved: 3 taps across, 5 down, the outermost in part."""
    point = torch.zeros(1, 3, 112, 112)
    point[..., 50, 60] = 1
    found = transforms.blur(point, torch.tensor([4.0]))[0, 0]
    side, end = math.exp(-(1**2) / 8), math.exp(-(2**2) / 8)  # sigma 2
    across = torch.tensor([0.75 * side, 1, 0.75 * side])
    down = torch.tensor([0.75 * end, side, 1, side, 0.75 * end])
    assert_close(found[48:53, 59:62], torch.outer(down / down.sum(), across / across.sum()), 1e-6)
    assert found.sum() == pytest.approx(1, abs=1e-5) and found[48:53, 59:62].sum() == pytest.approx(1, abs=1e-5)
