"""Binary cross-entropy against sums written out by hand."""

import math

import pytest
import torch

from cellar.methods.labels import binary_cross_entropy

LOGITS = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
LABELS = [1, 2]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_mean_over_images_and_classes() -> None:
    wanted = 0.0
    for row, label in zip(LOGITS, LABELS, strict=True):
        wanted -= sum(math.log(sigmoid(z) if c == label else 1 - sigmoid(z)) for c, z in enumerate(row))
    found = binary_cross_entropy(torch.tensor(LOGITS), torch.tensor(LABELS))
    assert found.item() == pytest.approx(wanted / 6, rel=1e-5)


def test_the_gradient_is_the_sigmoid_less_the_label() -> None:
    logits = torch.tensor(LOGITS, requires_grad=True)
    binary_cross_entropy(logits, torch.tensor(LABELS)).backward()
    one_hot = torch.tensor([[0.0, 1, 0], [0, 0, 1]])
    torch.testing.assert_close(logits.grad, (torch.tensor(LOGITS).sigmoid() - one_hot) / 6)


def test_half_precision_logits_are_computed_in_float32() -> None:
    found = binary_cross_entropy(torch.tensor(LOGITS).bfloat16(), torch.tensor(LABELS))
    assert torch.equal(found, binary_cross_entropy(torch.tensor(LOGITS), torch.tensor(LABELS)))
