"""Augmentations and normalisation, against NumPy by hand."""

import numpy as np
import pytest
import torch

from cellar.data.inputs.augmentation import NORMALISATIONS, build_augmentation, to_tensor, unaugmented


def by_hand(image: np.ndarray, index: int, padding: int, normalisation: str) -> np.ndarray:
    """An augmentation of an image (H, W, 3) as the papers' transforms would make it: pad, crop, flip, scale, normalise."""
    position, side = index // 2, 2 * padding + 1
    top, left = (position // side + padding) % side, (position % side + padding) % side
    padded = np.pad(image, [(padding, padding), (padding, padding), (0, 0)])
    found = padded[top : top + image.shape[0], left : left + image.shape[1]]
    found = found[:, ::-1] if index % 2 else found
    mean, std = (np.array(values, np.float32) for values in NORMALISATIONS[normalisation])
    return ((found.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)


@pytest.mark.parametrize(("augmentation", "padding", "count"), [("flip", 0, 2), ("crop_flip", 4, 162)])
@pytest.mark.parametrize("normalisation", ["imagenet", "cifar100"])
def test_every_augmentation_is_the_one_made_by_hand(
    augmentation: str, padding: int, count: int, normalisation: str
) -> None:
    image = np.random.default_rng(0).integers(256, size=(1, 9, 12, 3), dtype=np.uint8)
    transform, pixels = build_augmentation(augmentation, normalisation), torch.from_numpy(image).permute(0, 3, 1, 2)
    assert transform.count == count
    made = transform.apply(pixels.expand(count, -1, -1, -1), torch.arange(count))
    assert made.is_contiguous(memory_format=torch.channels_last)
    for index in range(count):
        np.testing.assert_allclose(made[index].numpy(), by_hand(image[0], index, padding, normalisation), rtol=1e-5)


def test_index_0_is_the_image_itself_and_all_augmentations_differ() -> None:
    transform = build_augmentation("crop_flip", "cifar100")
    image = torch.randint(256, (1, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    plain = next(unaugmented(image, transform, 1))
    assert torch.equal(plain, build_augmentation("flip", "cifar100").apply(image, torch.tensor([0])))
    made = transform.apply(image.expand(162, -1, -1, -1), torch.arange(162)).flatten(1)
    assert len(torch.unique(made, dim=0)) == 162


def test_grey_becomes_three_channels() -> None:
    image = np.arange(2 * 12 * 12, dtype=np.uint8).reshape(2, 12, 12)
    transform = build_augmentation("crop_flip", "imagenet")
    made = transform.apply(to_tensor(image, 12, torch.device("cpu")), torch.tensor([0, 77]))
    colour = np.repeat(image[..., None], 3, axis=3)
    np.testing.assert_allclose(made[1].numpy(), by_hand(colour[1], 77, 4, "imagenet"), rtol=1e-5)


def test_colour_keeps_its_channels_and_sizes_follow_the_parameter() -> None:
    image = np.zeros((5, 10, 10, 3), np.uint8)
    image[..., 0] = 255
    tensor = to_tensor(image, 6, torch.device("cpu"))
    assert tensor.shape == (5, 3, 6, 6) and tensor.dtype == torch.uint8
    assert tensor[:, 0].min() == 255 and tensor[:, 1:].max() == 0


def test_unit_leaves_pixels_from_0_to_1() -> None:
    image = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    assert build_augmentation("flip", "unit").apply(image, torch.tensor([0])).flatten().tolist() == pytest.approx(
        [0, 0.2, 1]
    )


@pytest.mark.parametrize("augmentation", ["flip", "crop_flip"])
def test_vggface2_is_blue_green_red_minus_the_published_mean(augmentation: str) -> None:
    """The mean that VGGFace2 publishes is (91.4953, 103.8827, 131.0912) of blue, green, red from 0 to 255."""
    image = np.random.default_rng(0).integers(256, size=(1, 5, 7, 3), dtype=np.uint8)
    expected = image[0, ..., ::-1].astype(np.float64) - [91.4953, 103.8827, 131.0912]
    transform = build_augmentation(augmentation, "vggface2")
    made = transform.apply(torch.from_numpy(image).permute(0, 3, 1, 2), torch.tensor([0]))
    assert made.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(made[0].permute(1, 2, 0).numpy(), expected, atol=1e-3)


def test_vggface2_of_a_grey_image_has_each_channels_own_mean() -> None:
    grey = torch.full((1, 1, 2, 2), 100, dtype=torch.uint8)
    made = build_augmentation("flip", "vggface2").apply(grey, torch.tensor([1]))
    assert made[0, :, 0, 0].tolist() == pytest.approx([100 - 91.4953, 100 - 103.8827, 100 - 131.0912], abs=1e-3)
