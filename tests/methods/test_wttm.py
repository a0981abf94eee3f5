"""WTTM against the authors' code, and its weights of images."""

import pytest
import torch
from torch import Tensor

from cellar.methods.ttm import transformed_divergence
from cellar.methods.wttm import wttm_loss

from .reference import assert_agrees, settings_of


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("setting", settings_of("wttm"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    assert_agrees(
        setting, lambda inputs, hp: wttm_loss(inputs["student_logits"], inputs["teacher_logits"], hp["exponent"])
    )


def test_with_the_exponent_1_all_images_weigh_the_same() -> None:
    torch.testing.assert_close(
        wttm_loss(logits(0), logits(1), 1.0), transformed_divergence(logits(0), logits(1), 1.0).mean()
    )


def test_an_image_that_the_teacher_is_unsure_of_weighs_more() -> None:
    """Of 5 equal probabilities the sum of powers is 5 · 5^-g; of one that is 1 it is 1."""
    student = logits(0)[:1]
    unsure, sure = torch.zeros(1, 5, dtype=torch.float64), 1e3 * torch.eye(5, dtype=torch.float64)[:1]
    for teacher, weight in ((unsure, 5 * 5**-0.2), (sure, 1.0)):
        found = wttm_loss(student, teacher, 0.2)
        torch.testing.assert_close(found, weight * transformed_divergence(student, teacher, 0.2).mean())


def test_adding_a_constant_to_all_logits_of_an_image_changes_nothing() -> None:
    torch.testing.assert_close(wttm_loss(logits(0) + 7, logits(1) - 3, 0.5), wttm_loss(logits(0), logits(1), 0.5))
