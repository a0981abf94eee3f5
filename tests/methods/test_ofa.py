"""OFA's loss against the authors' code, and term by term."""

import pytest
import torch
from torch import Tensor

from cellar.methods.ofa import ofa_loss

from .reference import Values, assert_agrees, settings_of

LABELS = torch.tensor([1, 0, 3, 3])


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("setting", settings_of("ofa"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    def loss(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        arguments = inputs["student_logits"], inputs["teacher_logits"], inputs["labels"]
        return ofa_loss(*arguments, temperature=hp["temperature"], exponent=hp["eps"])

    assert_agrees(setting, loss)


def test_with_the_exponent_1_it_is_the_cross_entropy_with_the_teacher() -> None:
    p_t, log_p_s = (logits(1) / 2).softmax(1), (logits(0) / 2).log_softmax(1)
    found = ofa_loss(logits(0), logits(1), LABELS, temperature=2, exponent=1)
    torch.testing.assert_close(found, -(p_t * log_p_s).sum(1).mean())


def test_a_larger_exponent_enhances_the_label_alone() -> None:
    """Of a teacher that is sure of the label, the label's share is 2^g - 1, and those of the others stay 0."""
    certain = 1e3 * torch.eye(5, dtype=torch.float64)[LABELS]
    found = ofa_loss(logits(0), certain, LABELS, temperature=1, exponent=1.5)
    plain = ofa_loss(logits(0), certain, LABELS, temperature=1, exponent=1)
    torch.testing.assert_close(found, (2**1.5 - 1) * plain)


def test_adding_a_constant_to_all_logits_of_an_image_changes_nothing() -> None:
    shifted = ofa_loss(logits(0) + 7, logits(1) - 3, LABELS, temperature=2, exponent=1.3)
    torch.testing.assert_close(shifted, ofa_loss(logits(0), logits(1), LABELS, temperature=2, exponent=1.3))
