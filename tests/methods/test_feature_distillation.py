"""The two distances between features, against sums written out by hand."""

import math

import pytest
import torch

from cellar.methods.losses.feature_distillation import bce_loss, mse_loss

STUDENT = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
TEACHER = [[2.0, 1.0, 0.0], [-1.0, 0.5, 4.0]]
PROBABILITIES = [[0.9, 0.1, 0.5], [0.0, 1.0, 0.3]]
SQUARES = [(s - t) ** 2 for mine, other in zip(STUDENT, TEACHER, strict=True) for s, t in zip(mine, other, strict=True)]


def test_mean_over_images_and_features() -> None:
    found = mse_loss(torch.tensor(STUDENT), torch.tensor(TEACHER))
    assert found.item() == pytest.approx(sum(SQUARES) / 6)


def test_the_printed_equation_sums_over_features() -> None:
    found = mse_loss(torch.tensor(STUDENT), torch.tensor(TEACHER), "sum_of_squares")
    assert found.item() == pytest.approx(sum(SQUARES) / 2)


def test_bce_term_by_term() -> None:
    def term(logit: float, wanted: float) -> float:
        q = 1 / (1 + math.exp(-logit))
        return -(wanted * math.log(q) + (1 - wanted) * math.log(1 - q))

    pairs = [p for row in zip(STUDENT, PROBABILITIES, strict=True) for p in zip(*row, strict=True)]
    found = bce_loss(torch.tensor(STUDENT), torch.tensor(PROBABILITIES))
    assert found.item() == pytest.approx(sum(term(*pair) for pair in pairs) / 6, rel=1e-5)


def test_bce_is_least_where_the_students_sigmoid_is_the_teachers() -> None:
    """Its gradient is (σ(s) - t) / (b D): 0 there, and finite for logits whose sigmoid is 0 or 1 in float32."""
    wanted = torch.tensor(PROBABILITIES).clamp(0.01, 0.99)
    student = wanted.logit().requires_grad_()
    bce_loss(student, wanted).backward()
    torch.testing.assert_close(student.grad, torch.zeros(2, 3), atol=1e-7, rtol=0)
    extreme = (torch.tensor(STUDENT) * 1e4).requires_grad_()
    loss = bce_loss(extreme, torch.tensor(PROBABILITIES))
    loss.backward()
    assert loss.isfinite() and extreme.grad.isfinite().all()


@pytest.mark.parametrize("loss", [mse_loss, bce_loss])
def test_stored_half_precision_is_read_in_float32_and_gets_no_gradient(loss) -> None:  # type: ignore[no-untyped-def]
    student = torch.tensor(STUDENT, requires_grad=True)
    teacher = torch.tensor(PROBABILITIES, dtype=torch.float16)
    found = loss(student, teacher)
    assert found.dtype == torch.float32
    assert found.item() == loss(student, teacher.float()).item()
    asking = teacher.float().requires_grad_()
    loss(student, asking).backward()
    assert asking.grad is None and student.grad.abs().sum() > 0
