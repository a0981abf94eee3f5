"""Which images an epoch shows: roles, evenness, named seeds, and sets too small for it."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from cellar.engine.training import EpochIndices
from cellar.errors import CellarError
from cellar.methods.feature_kd import RandomImages
from cellar.methods.maml import EpisodeSampler, fixed_tasks
from cellar.methods.triplet import RandomTriplets, fixed_triplets

LABELS = torch.tensor([2, 0, 5, 2, 0, 2, 5, 5, 5, 0])  # classes of 3, 3 and 4 images, mixed, with gaps
AUGMENTATIONS = 2**40


def same(a: EpochIndices, b: EpochIndices) -> bool:
    return torch.equal(a.image, b.image) and torch.equal(a.augmentation, b.augmentation)


def roles(index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    anchor, positive, negative = index.view(-1, 3).unbind(1)
    return anchor, positive, negative


def test_a_triplet_is_anchor_another_of_its_class_and_one_of_another_class() -> None:
    indices = RandomTriplets(LABELS, 5000, AUGMENTATIONS, 0)(0)
    anchor, positive, negative = roles(indices.image)
    assert torch.equal(LABELS[anchor], LABELS[positive]) and not (anchor == positive).any()
    assert not (LABELS[anchor] == LABELS[negative]).any()


def test_every_triplet_that_there_is_comes_equally_often() -> None:
    """Given the anchor: each of its (positive, negative) pairs. 40,000 draws, so a count is within 5 deviations."""
    counts = Counter(map(tuple, RandomTriplets(LABELS, 40_000, AUGMENTATIONS, 0)(0).image.view(-1, 3).tolist()))
    pairs = {0: 2 * 7, 2: 2 * 7, 5: 3 * 6}  # of an anchor of that class
    assert len(counts) == 3 * 14 + 3 * 14 + 4 * 18
    for (anchor, *_), count in counts.items():
        expected = 40_000 / len(LABELS) / pairs[int(LABELS[anchor])]
        assert abs(count - expected) < 5 * expected**0.5


def test_augmentations_are_drawn_from_all_that_there_are() -> None:
    augmentation = RandomTriplets(LABELS, 500, AUGMENTATIONS, 0)(0).augmentation
    assert (
        augmentation.shape == (1500,)
        and int(augmentation.min()) >= 0
        and 2**39 < int(augmentation.max()) < AUGMENTATIONS
    )
    assert RandomTriplets(LABELS, 500, 1, 0)(0).augmentation.any().item() is False


SAMPLERS: dict[str, Any] = {
    "triplets": lambda seed: RandomTriplets(LABELS, 20, AUGMENTATIONS, seed),
    "tasks": lambda seed: EpisodeSampler(LABELS, 4, 2, 1, 2, AUGMENTATIONS, seed),
    "images": lambda seed: RandomImages(60, 1000, AUGMENTATIONS, seed, torch.device("cpu")),
}


@pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_an_epoch_follows_from_the_seed_and_its_number(make: Any) -> None:
    torch.manual_seed(1)
    first = make(0)(3)
    torch.manual_seed(2)  # torch's own stream has no part in it
    assert same(first, make(0)(3))
    for other in (make(0)(4), make(1)(3)):
        assert not torch.equal(first.image, other.image) and not torch.equal(first.augmentation, other.augmentation)
    assert len(first.image) == len(first.augmentation) == make(0).size


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0, 0, 1, 2, 2], "class 1 .* has one training image, and a triplet takes 2"), ([3, 3, 3], "need two classes")],
)
def test_training_images_that_make_no_triplet_are_one_line(labels: list[int], said: str) -> None:
    with pytest.raises(CellarError, match=said) as caught:
        RandomTriplets(torch.tensor(labels), 5, AUGMENTATIONS, 0)(0)
    assert "\n" not in str(caught.value)


def test_of_a_class_with_one_test_image_come_negatives_only() -> None:
    labels = torch.tensor([0, 0, 1, 2, 2])
    anchor, positive, negative = roles(fixed_triplets(labels, 200, 0))
    assert set(labels[anchor].tolist()) == {0, 2} and 2 in negative.tolist()
    assert torch.equal(labels[anchor], labels[positive]) and not (labels[anchor] == labels[negative]).any()
    with pytest.raises(CellarError, match="one of them with two images"):
        fixed_triplets(torch.tensor([0, 1, 2]), 5, 0)


def test_lists_to_evaluate_on_are_fixed() -> None:
    assert torch.equal(fixed_triplets(LABELS, 9, 0), fixed_triplets(LABELS, 9, 0))
    assert not torch.equal(fixed_triplets(LABELS, 9, 0), fixed_triplets(LABELS, 9, 1))
    assert torch.equal(fixed_tasks(LABELS, 9, 2, 1, 1, 0), fixed_tasks(LABELS, 9, 2, 1, 1, 0))


def test_a_task_is_laid_out_class_by_class_and_shows_nothing_twice() -> None:
    indices = EpisodeSampler(LABELS, 300, 2, 1, 2, AUGMENTATIONS, 0)(0)
    tasks = indices.image.view(300, 2, 3)
    classes = LABELS[tasks]
    assert torch.equal(classes, classes[:, :, :1].expand_as(classes))
    assert not (classes[:, 0, 0] == classes[:, 1, 0]).any()
    assert all(len(set(task)) == 6 for task in tasks.flatten(1).tolist())


def test_every_class_comes_at_every_place_of_a_task_and_every_image_at_every_place_of_its_class() -> None:
    """3 classes at 2 places of 3,000 tasks; then the 3 images of a class at its 3 places. Within 5 deviations."""
    tasks = fixed_tasks(LABELS, 3000, 2, 1, 2, 0).view(3000, 2, 3)
    for way in range(2):
        counts = LABELS[tasks[:, way, 0]].bincount()[[0, 2, 5]]
        assert ((counts - 1000).abs() < 5 * 1000**0.5).all()
    of_class_0 = tasks[LABELS[tasks[:, :, 0]] == 0]  # (about 2,000, 3)
    expected = len(of_class_0) / 3
    for place in range(3):
        counts = of_class_0[:, place].bincount(minlength=10)[[1, 4, 9]]
        assert ((counts - expected).abs() < 5 * expected**0.5).all()


def test_training_classes_too_small_for_a_task_are_one_line_and_stay_out_of_evaluation() -> None:
    with pytest.raises(CellarError, match=r"class 0 .* has 3 training images, and a task takes 4 .*lower them"):
        EpisodeSampler(LABELS, 5, 1, 2, 2, AUGMENTATIONS, 0)(0)
    assert LABELS[fixed_tasks(LABELS, 5, 1, 2, 2, 0)].unique().tolist() == [5]


def test_too_few_classes_for_a_task_are_one_line() -> None:
    with pytest.raises(
        CellarError, match=r"takes 4 classes of 2 images \(shots \+ queries\), and 3 have so many; lower"
    ):
        EpisodeSampler(LABELS, 5, 4, 1, 1, AUGMENTATIONS, 0)(0)
    with pytest.raises(CellarError, match=r"2 classes of 4 images .* and 1 have"):
        fixed_tasks(LABELS, 5, 2, 2, 2, 0)
