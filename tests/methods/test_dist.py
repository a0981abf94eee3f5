"""DIST against the authors' code, and its correlations against NumPy's."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cellar.methods.dist import dist_loss, pearson

from .reference import Reference, assert_agrees, assert_close, settings_of


def logits(seed: int) -> Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weighted(inputs: dict[str, Tensor], inter: float, intra: float, temperature: float) -> Tensor:
    arguments = inputs["student_logits"], inputs["teacher_logits"]
    return dist_loss(*arguments, temperature=temperature, inter_weight=inter, intra_weight=intra)


@pytest.mark.parametrize("setting", settings_of("dist"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    assert_agrees(setting, lambda inputs, hp: weighted(inputs, hp["beta"], hp["gamma"], hp["temperature"]))


@pytest.mark.parametrize("setting", settings_of("dist"))
def test_both_parts_are_the_authors(setting: str) -> None:
    given = Reference(setting)
    inputs, temperature = given.inputs(), given.hyperparameters()["temperature"]
    assert_close(weighted(inputs, 1, 0, temperature), given.arrays["part_inter"], "inter-class")
    assert_close(weighted(inputs, 0, 1, temperature), given.arrays["part_intra"], "intra-class")


def test_the_correlation_is_pearsons() -> None:
    x, y = logits(0), logits(1)
    wanted = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.numpy(), y.numpy(), strict=True)]
    np.testing.assert_allclose(pearson(x, y).numpy(), wanted, atol=1e-7)


def test_a_student_that_is_the_teacher_but_for_a_constant_has_nothing_to_learn() -> None:
    found = dist_loss(logits(0) + 3, logits(0), temperature=2, inter_weight=1, intra_weight=1)
    assert found.item() == pytest.approx(0, abs=1e-5)  # 1e-8 beside the norms


def test_constant_probabilities_have_no_correlation_and_finite_gradients() -> None:
    student = torch.zeros(6, 5, requires_grad=True)
    found = dist_loss(student, logits(1).float(), temperature=2, inter_weight=1, intra_weight=0)
    found.backward()
    assert found.item() == pytest.approx(4)
    assert student.grad is not None and student.grad.isfinite().all()
