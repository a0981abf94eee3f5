"""NKD against the authors' code, and its terms by hand."""

import pytest
import torch
from torch import Tensor

from cellar.methods.nkd import nkd_loss

from .reference import Reference, Values, assert_agrees, assert_close, settings_of

LABELS = torch.tensor([1, 0, 3, 3])


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loss(inputs: dict[str, Tensor], hp: Values) -> Tensor:
    """Soft labels count as their largest class, as in the authors' code."""
    labels = inputs["soft_labels"].argmax(1) if "soft_labels" in inputs else inputs["labels"]
    arguments = inputs["student_logits"], inputs["teacher_logits"], labels
    return nkd_loss(*arguments, temperature=hp["temperature"], non_target_weight=hp["gamma"])


@pytest.mark.parametrize("setting", settings_of("nkd"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    assert_agrees(setting, loss)


@pytest.mark.parametrize("setting", settings_of("nkd"))
def test_both_parts_are_the_authors(setting: str) -> None:
    given = Reference(setting)
    inputs, hp = given.inputs(), given.hyperparameters()
    target = loss(inputs, hp | {"gamma": 0})
    assert_close(target, given.arrays["part_target"], "target")
    assert_close(loss(inputs, hp) - target, given.arrays["part_non_target_weighted"], "non-target")


def test_without_the_other_classes_it_is_cross_entropy_weighted_by_the_teachers_certainty() -> None:
    found = nkd_loss(logits(0), logits(1), LABELS, temperature=3, non_target_weight=0)
    rows = range(len(LABELS))
    p_s, p_t = logits(0).softmax(1), logits(1).softmax(1)
    wanted = -sum(p_t[i, LABELS[i]] * p_s[i, LABELS[i]].log() for i in rows) / len(LABELS)
    torch.testing.assert_close(found, wanted)


def test_the_other_classes_do_not_see_the_logit_of_the_label() -> None:
    """The gradient of the non-target part is 0 at the label, whatever its logit."""
    student = logits(0).requires_grad_()
    parts = [nkd_loss(student, logits(1), LABELS, temperature=2, non_target_weight=weight) for weight in (1, 0)]
    (parts[0] - parts[1]).backward()
    assert student.grad is not None
    assert student.grad[torch.arange(4), LABELS].abs().max() < 1e-12 < student.grad.abs().amax(1).min()


def test_adding_a_constant_to_all_logits_of_an_image_changes_nothing() -> None:
    shift = torch.tensor([[1.0], [-3.0], [20.0], [0.0]], dtype=torch.float64)
    weights = {"temperature": 2.0, "non_target_weight": 1.5}
    shifted = nkd_loss(logits(0) + shift, logits(1) - shift, LABELS, **weights)
    torch.testing.assert_close(shifted, nkd_loss(logits(0), logits(1), LABELS, **weights))


def test_sure_networks_give_finite_losses_and_gradients_in_float32() -> None:
    certain = 1e4 * torch.eye(5)[[1, 2, 3, 4]]
    student = certain.requires_grad_()
    found = nkd_loss(student, -certain.detach(), LABELS, temperature=1, non_target_weight=1.5)
    found.backward()
    assert found.isfinite() and student.grad is not None and student.grad.isfinite().all()
