"""Views by chance: their number alone decides, with the frequencies and in the ranges that were asked for."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cellar.data.inputs import random_augmentation
from cellar.data.inputs.augmentation import build_augmentation, unaugmented
from cellar.data.inputs.random_augmentation import (
    COUNT,
    TRANSFORMS,
    RandomAugmentation,
    applies,
    scramble,
    uniform,
)

AS_PUBLISHED = {"rotation": 0.5, "scaling": 0.5, "flip": 0.5, "blur": 0.1, "jitter": 0.0, "erasing": 0.0}
NEVER = dict.fromkeys(AS_PUBLISHED, 0.0)
OFTEN = dict.fromkeys(AS_PUBLISHED, 0.6)
MANY = torch.arange(1, 10_001)


def some_images(count: int = 24, side: int = 40) -> Tensor:
    return torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def some_indices(count: int = 24) -> Tensor:
    return torch.randint(COUNT, (count,), generator=torch.Generator().manual_seed(1))


def splitmix(number: int) -> int:
    """In Python's whole numbers, which do not overflow."""
    mask = 2**64 - 1
    number = (number + 0x9E3779B97F4A7C15) & mask
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & mask
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & mask
    return number ^ (number >> 31)


def test_the_hash_is_splitmix64() -> None:
    """Its first number for the state 0 is published with it: e220a8397b1dcdaf."""
    numbers = [0, 1, 77, COUNT - 1, 2**63 - 1]
    found = [value % 2**64 for value in scramble(torch.tensor(numbers)).tolist()]
    assert found == [splitmix(number) for number in numbers] and found[0] == 0xE220A8397B1DCDAF


@pytest.mark.parametrize(("name", "probability"), AS_PUBLISHED.items())
def test_a_transform_is_as_frequent_as_asked(name: str, probability: float) -> None:
    frequency = applies(MANY, name, probability).double().mean().item()
    assert abs(frequency - probability) <= 4 * math.sqrt(probability * (1 - probability) / len(MANY))
    assert applies(MANY, name, 1.0).all() and not applies(MANY, name, 0.0).any()


def test_transforms_do_not_hang_together() -> None:
    drawn = torch.stack([applies(MANY, name, 0.5).double() for name in TRANSFORMS])
    shown = torch.stack([drawn[:, :-1].flatten(), drawn[:, 1:].flatten()])  # a index and the next number
    assert (torch.corrcoef(drawn) - torch.eye(len(TRANSFORMS))).abs().max() < 0.05
    assert torch.corrcoef(shown)[0, 1].abs() < 0.02


@pytest.mark.parametrize("first", [1, COUNT - len(MANY)])
def test_numbers_are_even_and_in_range(first: int) -> None:
    values = uniform(MANY - 1 + first, "share", *random_augmentation.SCALING)
    assert values.dtype == torch.float64 and 0.7 <= values.min() < 0.701 and 0.999 < values.max() < 1
    counts = np.histogram(values.numpy(), bins=20, range=(0.7, 1))[0]
    assert ((counts - 500) ** 2 / 500).sum() < 50  # chi-square with 19 degrees: less than one in 10,000 is above


def test_degrees_are_whole_from_0_to_44() -> None:
    degrees = uniform(MANY, "degrees", 0, random_augmentation.MAX_DEGREES).long()
    assert torch.equal(degrees.unique(), torch.arange(45)) and degrees.bincount().min() > 150


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_probability_is_its_transforms_own(name: str) -> None:
    """With one probability 1 and the others 0, the index is that transform and nothing else."""
    images, index = some_images(), some_indices()
    found = build_augmentation({**NEVER, name: 1.0}, "unit").apply(images, index)
    expected = TRANSFORMS[name](images.float(), index) / 255
    assert torch.equal(found, expected) and not torch.equal(found, images / 255)


def test_they_are_applied_in_the_published_order() -> None:
    images, index = some_images(4), some_indices(4)
    pixels = images.float()
    for name in ("rotation", "scaling", "flip", "blur", "jitter", "erasing"):
        pixels = TRANSFORMS[name](pixels, index)
    assert torch.equal(build_augmentation(dict.fromkeys(AS_PUBLISHED, 1.0), "unit").apply(images, index), pixels / 255)
    assert list(TRANSFORMS) == list(AS_PUBLISHED)


@pytest.mark.parametrize("normalisation", ["imagenet", "unit", "vggface2"])
@pytest.mark.parametrize("odds", [AS_PUBLISHED, dict.fromkeys(AS_PUBLISHED, 1.0)])
def test_index_0_is_the_image_itself(odds: dict[str, float], normalisation: str) -> None:
    images, augmentation = some_images(5), build_augmentation(odds, normalisation)
    plain = build_augmentation("flip", normalisation).apply(images, torch.zeros(5, dtype=torch.long))
    assert torch.equal(augmentation.apply(images, torch.zeros(5, dtype=torch.long)), plain)
    assert torch.equal(torch.cat(list(unaugmented(images, augmentation, 2))), plain)
    assert augmentation.count == 2**40 and plain.is_contiguous(memory_format=torch.channels_last)


def test_an_image_looks_the_same_alone_and_in_any_batch() -> None:
    images, index, augmentation = some_images(), some_indices(), build_augmentation(OFTEN, "imagenet")
    whole = augmentation.apply(images, index)
    assert torch.equal(augmentation.apply(images, index), whole)
    assert torch.equal(augmentation.apply(images.flip(0), index.flip(0)), whole.flip(0))
    for row in range(len(images)):
        assert torch.equal(augmentation.apply(images[row : row + 1], index[row : row + 1])[0], whole[row])
    assert torch.equal(augmentation.apply(images[5:16], index[5:16]), whole[5:16])


def test_images_stay_as_they_were() -> None:
    images, kept = some_images(), some_images()
    build_augmentation(OFTEN, "unit").apply(images, some_indices())
    assert torch.equal(images, kept)


def test_no_two_augmentations_are_alike() -> None:
    augmentation = build_augmentation(dict.fromkeys(AS_PUBLISHED, 1.0), "unit")
    cut = augmentation.apply(some_images(1, 16).expand(500, -1, -1, -1), torch.arange(1, 501)).flatten(1)
    assert len(torch.unique(cut, dim=0)) == 500


def test_an_augmentation_is_the_same_at_every_size() -> None:
    """Of one smooth picture at 64 and at 32 pixels: but for borders, which fall on other pixels, nothing differs."""
    coarse = torch.rand(24, 3, 5, 5, generator=torch.Generator().manual_seed(2)) * 255
    fine = functional.interpolate(coarse, size=128, mode="bicubic").clamp(0, 255)
    images = {side: functional.adaptive_avg_pool2d(fine, side).round().byte() for side in (64, 32)}
    for name in TRANSFORMS:
        augmentation = build_augmentation({**NEVER, name: 1.0}, "unit")
        large, small = (augmentation.apply(images[side], some_indices()) for side in (64, 32))
        gap = (functional.avg_pool2d(large, 2) - small).abs()
        assert gap.mean() < 0.03 and (gap > 0.1).double().mean() < 0.15, name
        wrong = (functional.avg_pool2d(large, 2) - augmentation.apply(images[32], some_indices() + 1)).abs()
        assert name in {"flip", "blur"} or gap.mean() < wrong.mean() / 4, name


def test_grey_becomes_three_channels() -> None:
    grey = some_images(6)[:, :1]
    augmentation, index = build_augmentation(OFTEN, "imagenet"), some_indices(6)
    assert torch.equal(augmentation.apply(grey, index), augmentation.apply(grey.expand(-1, 3, -1, -1), index))


def test_probabilities_are_named() -> None:
    augmentation = build_augmentation({"rotation": 0.25}, "unit")
    assert isinstance(augmentation, RandomAugmentation) and (augmentation.rotation, augmentation.flip) == (0.25, 0)
    with pytest.raises(TypeError, match="rotaton"):
        build_augmentation({"rotaton": 0.25}, "unit")
