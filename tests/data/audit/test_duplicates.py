"""Planted copies are found and named for what they are; pictures that are no copies are left alone."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import shift

from cellar.data.audit import duplicates
from cellar.data.audit.duplicates import ALONE

from .conftest import Paint

Change = Callable[[np.ndarray], np.ndarray]


def noisy(image: np.ndarray) -> np.ndarray:
    return np.clip(image + np.random.default_rng(5).normal(scale=8, size=image.shape), 0, 255)


def resized(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((30, 30)).resize((48, 48)))


CHANGES: dict[str, Change] = {
    "brighter": lambda image: np.clip(image.astype(int) + 25, 0, 255),
    "less contrast": lambda image: image * 0.6 + 40,
    "noise": noisy,
    "one pixel down, two to the right": lambda image: shift(image, (1, 2), order=0, mode="nearest"),
    "smaller and back": resized,
}


@pytest.fixture(scope="module")
def photos(paint: Paint) -> np.ndarray:
    return paint(60, 1)


def with_last(photos: np.ndarray, *copies: np.ndarray) -> np.ndarray:
    return np.concatenate([photos, np.array(copies).astype(np.uint8)])


def test_different_pictures_have_no_duplicates(photos: np.ndarray) -> None:
    found = duplicates.find(photos)
    assert len(found.first) == 0 and (found.group == ALONE).all()
    assert not found.leaked(np.array(["train"] * 30 + ["test"] * 30)).any()


def test_equal_bytes_are_exact_duplicates_of_the_first(photos: np.ndarray) -> None:
    found = duplicates.find(with_last(photos, photos[7], photos[7]))
    assert list(zip(found.first.tolist(), found.second.tolist(), found.kind.tolist(), strict=True)) == [
        (7, 60, "exact"),
        (7, 61, "exact"),
    ]
    assert np.flatnonzero(found.group == 7).tolist() == [7, 60, 61]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_copy_is_a_near_duplicate(photos: np.ndarray, change: Change) -> None:
    found = duplicates.find(with_last(photos, change(photos[20])))
    assert (found.first.tolist(), found.second.tolist(), found.kind.tolist()) == ([20], [60], ["near"])
    assert found.distance[0] <= duplicates.MAX_DISTANCE and found.likeness[0] >= duplicates.MIN_LIKENESS


def test_a_mirrored_copy_counts_and_is_called_so(photos: np.ndarray) -> None:
    found = duplicates.find(with_last(photos, photos[3][:, ::-1]))
    assert (found.first.tolist(), found.second.tolist(), found.kind.tolist()) == ([3], [60], ["mirrored"])


def test_a_nearly_symmetric_picture_and_its_copy_are_near_not_mirrored(photos: np.ndarray) -> None:
    symmetric = 0.55 * photos[3] + 0.45 * photos[3][:, ::-1]
    found = duplicates.find(with_last(photos, symmetric, symmetric * 0.9))
    assert found.kind[(found.first == 60) & (found.second == 61)].tolist() == ["near"]


@pytest.mark.parametrize("change", [lambda i: np.rot90(i), lambda i: 255 - i, lambda i: i[::-1]])
def test_another_picture_made_of_the_same_pixels_is_none(photos: np.ndarray, change: Change) -> None:
    assert len(duplicates.find(with_last(photos, change(photos[9]))).first) == 0


def test_colour_images_are_compared_too(photos: np.ndarray) -> None:
    colour = np.stack([photos, photos // 2, 200 - photos // 2], axis=3)
    found = duplicates.find(np.concatenate([colour, colour[4:5] * 0.8]).astype(np.uint8))
    assert (found.first.tolist(), found.second.tolist()) == ([4], [60])


def test_pictures_linked_by_a_third_are_one_group(photos: np.ndarray) -> None:
    far = [shift(photos[11], (0, across), order=0, mode="nearest") for across in (2, 4)]
    found = duplicates.find(with_last(photos, *far, photos[12]))
    assert np.flatnonzero(found.group == 11).tolist() == [11, 60, 61]
    assert np.flatnonzero(found.group == 12).tolist() == [12, 62]


def test_constant_images_are_no_near_duplicates_of_each_other(photos: np.ndarray) -> None:
    grey = [np.full((48, 48), value) for value in (0, 0, 90)]
    found = duplicates.find(with_last(photos, *grey))
    assert (found.first.tolist(), found.second.tolist(), found.kind.tolist()) == ([60], [61], ["exact"])


def test_leaked_and_leaking_are_the_two_sides_of_a_copy(photos: np.ndarray) -> None:
    split = np.array(["train"] * 40 + ["validation"] * 10 + ["test"] * 12)
    images = with_last(photos, photos[45], photos[59])  # a validation image, and a test image's own copy
    images[50] = photos[2]
    found = duplicates.find(images)
    assert np.flatnonzero(found.leaked(split)).tolist() == [50, 60]
    assert np.flatnonzero(found.leaking(split)).tolist() == [2, 45]


def test_same_images_same_answer(photos: np.ndarray) -> None:
    images = with_last(photos, *(change(photos[row]) for row, change in enumerate(CHANGES.values())))
    one, other = duplicates.find(images), duplicates.find(images)
    for name in ("first", "second", "kind", "distance", "likeness", "group", "proposed"):
        assert (getattr(one, name) == getattr(other, name)).all()


def test_one_image_alone_is_no_error(photos: np.ndarray) -> None:
    assert len(duplicates.find(photos[:1]).first) == 0
