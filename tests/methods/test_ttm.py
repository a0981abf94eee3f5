"""TTM against the authors' code, and as KD whose student has no temperature."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cellar.methods.ttm import transformed_divergence

from .reference import assert_agrees, settings_of


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("setting", settings_of("ttm"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    assert_agrees(
        setting,
        lambda inputs, hp: transformed_divergence(
            inputs["student_logits"], inputs["teacher_logits"], hp["exponent"]
        ).mean(),
    )


def test_the_power_of_the_teachers_probabilities_is_its_temperature() -> None:
    power = logits(1).softmax(1) ** 0.25
    wanted = functional.kl_div(logits(0).log_softmax(1), power / power.sum(1, keepdim=True), reduction="none").sum(1)
    torch.testing.assert_close(transformed_divergence(logits(0), logits(1), 0.25), wanted)


def test_adding_a_constant_to_all_logits_of_an_image_changes_nothing() -> None:
    shifted = transformed_divergence(logits(0) + 7, logits(1) - 3, 0.5)
    torch.testing.assert_close(shifted, transformed_divergence(logits(0), logits(1), 0.5))


def test_a_student_that_has_the_transformed_probabilities_has_nothing_to_learn() -> None:
    assert transformed_divergence(logits(1) * 0.1, logits(1), 0.1).abs().max() < 1e-12
