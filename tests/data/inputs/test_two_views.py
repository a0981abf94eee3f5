"""Two views of an image: the weak one is the data set's, the strong one is PIL's, as MLKD's authors have it."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from cellar.data.inputs.augmentation import FiniteAugmentation, build_augmentation
from cellar.data.inputs.random_augmentation import COUNT
from cellar.data.inputs.two_views import COLOUR, OPERATIONS, TwoViews, cover

SIDE = 32
DATA_SET = build_augmentation("crop_flip", "cifar100")


def shear_x(image: Image.Image, amount: float) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, amount, 0, 0, 1, 0))


def shear_y(image: Image.Image, amount: float) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, 0, amount, 1, 0))


def translate_x(image: Image.Image, amount: float) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, amount * image.size[0], 0, 1, 0))


def translate_y(image: Image.Image, amount: float) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, amount * image.size[1]))


# As augment_list of the authors' code has them: the operation, its least and its largest amount. PIL translates the other
# way round, which a range around 0 does not see: its amount is the negative one here.
AUTHORS = [
    (lambda image, _: ImageOps.autocontrast(image), 0, 1),
    (lambda image, amount: ImageEnhance.Brightness(image).enhance(amount), 0.05, 0.95),
    (lambda image, amount: ImageEnhance.Color(image).enhance(amount), 0.05, 0.95),
    (lambda image, amount: ImageEnhance.Contrast(image).enhance(amount), 0.05, 0.95),
    (lambda image, _: ImageOps.equalize(image), 0, 1),
    (lambda image, _: image, 0, 1),
    (lambda image, amount: ImageOps.posterize(image, int(amount)), 4, 8),
    (lambda image, amount: image.rotate(amount), -30, 30),
    (lambda image, amount: ImageEnhance.Sharpness(image).enhance(amount), 0.05, 0.95),
    (lambda image, amount: shear_x(image, amount), -0.3, 0.3),
    (lambda image, amount: shear_y(image, amount), -0.3, 0.3),
    (lambda image, amount: ImageOps.solarize(image, int(np.ceil(amount))), 0, 255),
    (lambda image, amount: translate_x(image, -amount), -0.3, 0.3),
    (lambda image, amount: translate_y(image, -amount), -0.3, 0.3),
]
MOVES_PIXELS = {7, 9, 10, 12, 13}


def some_images(count: int = 8, channels: int = 3) -> Tensor:
    """Smooth pictures, whose pixels change little where they are moved by one."""
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(count, channels, 5, 5, generator=generator) * 255
    return torch.nn.functional.interpolate(small, (SIDE, SIDE), mode="bicubic").clamp(0, 255).to(torch.uint8)


def some_indices(count: int = 8) -> Tensor:
    return torch.randint(COUNT, (count,), generator=torch.Generator().manual_seed(1))


def as_pil(image: Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
@pytest.mark.parametrize("strength", [0.0, 0.21, 0.5, 0.83, 1.0])
def test_an_operation_is_the_authors(number: int, strength: float) -> None:
    theirs, low, high = AUTHORS[number]
    for image in some_images():
        found = OPERATIONS[number](image, strength).permute(1, 2, 0).numpy().astype(int)
        expected = np.asarray(theirs(as_pil(image), low + (high - low) * strength)).astype(int)
        difference = np.abs(found - expected)
        if number in MOVES_PIXELS:  # pixels between two others fall to one or the other
            assert (difference > 24).mean() < 0.06
        else:
            assert difference.max() <= 2


def test_there_are_as_many_operations_as_the_authors_have() -> None:
    assert len(OPERATIONS) == len(AUTHORS) == 14


def test_the_weak_view_is_the_data_sets() -> None:
    images, index = some_images(), some_indices()
    weak = TwoViews(DATA_SET).apply(images, index)[:, 0]
    assert torch.equal(weak, DATA_SET.apply(images, index % DATA_SET.count))


@pytest.mark.parametrize("augmentation", ["crop_flip", {"rotation": 0.5, "flip": 0.5}])
def test_views_of_an_image_do_not_depend_on_the_batch(augmentation: str | dict[str, float]) -> None:
    views, images, index = TwoViews(build_augmentation(augmentation, "cifar100")), some_images(), some_indices()
    together = views.apply(images, index)
    assert together.shape == (8, 2, 3, SIDE, SIDE) and together.dtype == torch.float32
    for row in range(len(images)):
        assert torch.equal(views.apply(images[row : row + 1], index[row : row + 1])[0], together[row])
    assert not torch.equal(views.apply(images, index + 1)[:, 1], together[:, 1])


def test_the_strong_view_is_two_operations_and_a_rectangle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 14 equally often: a count of 4,000 draws is within 5 deviations."""
    drawn: list[int] = []

    def counted(number: int):  # type: ignore[no-untyped-def]
        def operation(image: Tensor, strength: float) -> Tensor:
            assert 0 <= strength < 1
            drawn.append(number)
            return image

        return operation

    monkeypatch.setattr("cellar.data.inputs.two_views.OPERATIONS", tuple(counted(number) for number in range(14)))
    plain = TwoViews(FiniteAugmentation(0, (0, 0, 0), (1, 1, 1)))
    images = some_images(1).expand(2000, -1, -1, -1)
    strong = plain.strong(images, some_indices(2000))
    counts = np.bincount(drawn, minlength=14)
    assert len(drawn) == 4000 and (np.abs(counts - 4000 / 14) < 5 * np.sqrt(4000 / 14)).all()
    colour = torch.tensor(COLOUR, dtype=torch.uint8)[:, None, None]
    covered = (strong == colour).all(1)
    unmoved = (strong == images).all(1) | (strong == images.flip(-1)).all(1)
    assert (covered | unmoved).all()
    assert 0.03 < covered.double().mean() < 0.12  # a square of side up to 16: 85 of 1024 pixels, less what lies outside


def test_the_rectangle_is_the_authors() -> None:
    """ImageDraw's rectangle includes its last row and column."""
    pixels, index = torch.zeros(200, 3, SIDE, SIDE, dtype=torch.uint8), some_indices(200)
    cover(pixels, index)
    covered = (pixels[:, 0] == COLOUR[0]).nonzero()
    sizes = []
    for row in range(200):
        places = covered[covered[:, 0] == row][:, 1:]
        (top, left), (bottom, right) = places.amin(0).tolist(), places.amax(0).tolist()
        assert len(places) == (bottom - top + 1) * (right - left + 1)  # a full rectangle
        sizes.append(max(bottom - top, right - left) + 1)
    assert max(sizes) <= SIDE // 2 + 1 and max(sizes) >= SIDE // 2 - 1 and min(sizes) == 1


def test_grey_images_have_three_channels_in_both_views() -> None:
    found = TwoViews(DATA_SET).apply(some_images(channels=1), some_indices())
    assert found.shape == (8, 2, 3, SIDE, SIDE)
