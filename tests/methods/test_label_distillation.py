"""Eq. 2 to 4 of the small-dataset study are the weighted form of losses.logit_kd, so they have no loss of their own.

Its eq. 3 is alpha CE(labels) + (1 - alpha) CE(teacher); CE(teacher) = KL + the teacher's entropy, which no student
changes. The study's T is 1; its equations have no T², so past 1 distill_weight is (1 - alpha) / T². The softmax that
it writes around probabilities is taken of logits.
"""

import math

import pytest
import torch
from torch import Tensor

from cellar.methods.losses.logit_kd import distillation_loss

STUDENT = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
TEACHER = [[2.0, 1.0, 0.0], [-1.0, 0.5, 4.0]]
LABELS = [1, 2]
ALPHA = 0.1  # 7.4


def softmax(row: list[float], temperature: float) -> list[float]:
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def entropy(temperature: float) -> float:
    return sum(-p * math.log(p) for row in TEACHER for p in softmax(row, temperature)) / len(TEACHER)


def equation_3(student: Tensor, temperature: float) -> Tensor:
    """Eq. 2 to 4 as printed, sum over classes, mean over images; T on both softmaxes of eq. 2."""
    rows, images = student.unbind(0), range(len(LABELS))
    taught = [torch.tensor(softmax(row, temperature)) for row in TEACHER]
    soft = sum(-(taught[i] * (rows[i] / temperature).log_softmax(0)).sum() for i in images) / len(LABELS)
    hard = sum(-rows[i].log_softmax(0)[LABELS[i]] for i in images) / len(LABELS)
    return ALPHA * hard + (1 - ALPHA) * soft


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_weighted_form_has_the_gradient_of_equation_3_and_its_value_less_a_constant(temperature: float) -> None:
    printed, ours = (torch.tensor(STUDENT, requires_grad=True) for _ in range(2))
    wanted = equation_3(printed, temperature)
    found = distillation_loss(
        ours, torch.tensor(TEACHER), torch.tensor(LABELS),
        temperature=temperature, task_weight=ALPHA, distill_weight=(1 - ALPHA) / temperature**2,
    )["loss"]  # fmt: skip
    wanted.backward()
    found.backward()
    torch.testing.assert_close(ours.grad, printed.grad)
    assert found.item() == pytest.approx(wanted.item() - (1 - ALPHA) * entropy(temperature), rel=1e-5)
