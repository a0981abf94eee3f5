"""The losses against sums written out by hand."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from cellar.data.inputs.classes import balanced_class_weights
from cellar.errors import CellarError
from cellar.methods.base import cross_entropy
from cellar.methods.logit_kd import LogitKD, distillation_loss, kl_divergence

from .reference import Values, assert_agrees, settings_of

STUDENT = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
TEACHER = [[2.0, 1.0, 0.0], [-1.0, 0.5, 4.0]]
LABELS = [1, 2]
ALPHA = 0.1  # small-dataset study, 7.4


def softmax(row: list[float], temperature: float = 1) -> list[float]:
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def kl_by_hand(temperature: float) -> float:
    """Eq. 4 term by term."""
    total = 0.0
    for student, teacher in zip(STUDENT, TEACHER, strict=True):
        q, p = softmax(student, temperature), softmax(teacher, temperature)
        total += sum(pc * (math.log(pc) - math.log(qc)) for pc, qc in zip(p, q, strict=True))
    return total / len(STUDENT)


def ce_by_hand(weights: tuple[float, ...] = (1, 1, 1)) -> float:
    """Eq. 5 term by term, each image with its class's weight."""
    terms = [weights[y] * -math.log(softmax(row)[y]) for row, y in zip(STUDENT, LABELS, strict=True)]
    return sum(terms) / sum(weights[y] for y in LABELS)


def loss(student: Tensor | None = None, teacher: Tensor | None = None, **changes: Any) -> dict[str, Tensor]:
    settings = {"temperature": 3.0, "task_weight": 0.2, "distill_weight": 0.8, **changes}
    student = torch.tensor(STUDENT) if student is None else student
    teacher = torch.tensor(TEACHER) if teacher is None else teacher
    return distillation_loss(student, teacher, torch.tensor(LABELS), **settings)


@pytest.mark.parametrize("temperature", [1.0, 3.0, 5.0])
def test_kl_is_equation_4(temperature: float) -> None:
    found = kl_divergence(torch.tensor(STUDENT), torch.tensor(TEACHER), temperature)
    assert found.item() == pytest.approx(kl_by_hand(temperature), rel=1e-5)


def test_kl_of_equals_is_zero_and_of_others_is_not_symmetric() -> None:
    a, b = torch.tensor(STUDENT), torch.tensor(TEACHER)
    assert kl_divergence(a, a, 3).item() == pytest.approx(0, abs=1e-7)
    assert kl_divergence(a, b, 3).item() != pytest.approx(kl_divergence(b, a, 3).item(), rel=1e-2)


def test_weighted_form() -> None:
    parts = loss()
    assert parts["task_loss"].item() == pytest.approx(ce_by_hand(), rel=1e-5)
    assert parts["distill_loss"].item() == pytest.approx(9 * kl_by_hand(3), rel=1e-5)
    assert parts["loss"].item() == pytest.approx(0.2 * ce_by_hand() + 0.8 * 9 * kl_by_hand(3), rel=1e-5)


def test_printed_equation_6_has_no_task_weight() -> None:
    literal = loss(loss_form="eq6_literal")["loss"].item()
    assert literal == pytest.approx(ce_by_hand() + 0.8 * 9 * kl_by_hand(3), rel=1e-5)


def test_class_weights_act_on_the_task_alone() -> None:
    weights = (1.0, 3.0, 0.5)
    parts = loss(class_weights=torch.tensor(weights))
    assert parts["task_loss"].item() == pytest.approx(ce_by_hand(weights), rel=1e-5)
    assert ce_by_hand(weights) != pytest.approx(ce_by_hand(), rel=1e-2)
    assert parts["distill_loss"].item() == loss()["distill_loss"].item()


def test_no_gradient_reaches_the_teacher() -> None:
    student = torch.tensor(STUDENT, requires_grad=True)
    teacher = torch.tensor(TEACHER, requires_grad=True)
    loss(student, teacher)["loss"].backward()
    assert teacher.grad is None
    assert student.grad is not None and student.grad.abs().sum() > 0


def test_gradient_is_the_difference_of_softmaxes() -> None:
    """d(T² KL)/d(student logits) = T (Q - P) / N (Hinton et al., arXiv:1503.02531, sec. 2.1)."""
    student = torch.tensor(STUDENT, requires_grad=True)
    loss(student, task_weight=0.0, distill_weight=1.0)["loss"].backward()
    q = torch.tensor([softmax(row, 3) for row in STUDENT])
    p = torch.tensor([softmax(row, 3) for row in TEACHER])
    torch.testing.assert_close(student.grad, 3 * (q - p) / 2)


@pytest.mark.parametrize("autocast", [True, False])
def test_half_precision_logits_are_computed_in_float32(autocast: bool) -> None:
    """Logits that bfloat16 holds exactly give the float32 loss."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        parts = loss(torch.tensor(STUDENT).bfloat16(), torch.tensor(TEACHER).bfloat16())
    assert {value.dtype for value in parts.values()} == {torch.float32}
    assert all(torch.equal(parts[name], value) for name, value in loss().items())


def test_large_logits_stay_finite() -> None:
    parts = loss(torch.tensor(STUDENT) * 1e4, torch.tensor(TEACHER) * -1e4)
    assert all(value.isfinite() for value in parts.values())


def test_cross_entropy_without_weights_is_equation_5() -> None:
    found = cross_entropy(torch.tensor(STUDENT), torch.tensor(LABELS))
    assert found.item() == pytest.approx(ce_by_hand(), rel=1e-5)


def test_balanced_weights_are_n_over_k_times_count() -> None:
    weights = balanced_class_weights(torch.tensor([0, 0, 0, 1, 2, 2]), 3)
    torch.testing.assert_close(weights, torch.tensor([6 / 9, 6 / 3, 6 / 6]))


def test_a_class_without_images_has_no_balanced_weight() -> None:
    with pytest.raises(CellarError, match=r"class 1 of 0\.\.2 has no training image"):
        balanced_class_weights(torch.tensor([0, 2, 2]), 3)


def entropy(temperature: float) -> float:
    return sum(-p * math.log(p) for row in TEACHER for p in softmax(row, temperature)) / len(TEACHER)


def equation_3(student: Tensor, temperature: float) -> Tensor:
    """Eq. 2 to 4 of the small-dataset study as printed: sum over classes, mean over images; T on both softmaxes of eq. 2."""
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


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(ValueError, match="both 0: nothing would be learnt"):
        LogitKD.Params(temperature=1, task_weight=0, distill_weight=0, loss_form="weighted")


@pytest.mark.parametrize("setting", settings_of("kd_repdistiller"))
def test_divergence_and_gradient_are_repdistillers(setting: str) -> None:
    def divergence(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        temperature = float(hp["temperature"])
        return temperature**2 * kl_divergence(inputs["student_logits"], inputs["teacher_logits"], temperature)

    assert_agrees(setting, divergence)


@pytest.mark.parametrize("setting", settings_of("kd_mdistiller"))
def test_loss_and_gradient_are_mdistillers(setting: str) -> None:
    def weighted(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        arguments = inputs["student_logits"], inputs["teacher_logits"], inputs["labels"]
        weights = {"task_weight": hp["ce_weight"], "distill_weight": hp["kd_weight"]}
        return distillation_loss(*arguments, temperature=float(hp["temperature"]), **weights)["loss"]

    assert_agrees(setting, weighted)


@pytest.mark.parametrize("setting", settings_of("lskd"))
def test_standardised_divergence_and_gradient_are_the_authors(setting: str) -> None:
    def standardised_kd(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        arguments = inputs["student_logits"], inputs["teacher_logits"], inputs["labels"]
        weights = {"temperature": hp["temperature"], "task_weight": hp["ce_weight"], "distill_weight": hp["kd_weight"]}
        return distillation_loss(*arguments, **weights, standardise=True)["distill_loss"]

    assert_agrees(setting, standardised_kd)


def test_settings_without_standardisation_are_those_from_before_it() -> None:
    given = {"temperature": 1.0, "task_weight": 0.5, "distill_weight": 0.5, "loss_form": "weighted"}
    for standardise in ({}, {"standardise": False}):
        assert LogitKD.Params.model_validate(given | standardise).model_dump(mode="json") == given
    on = given | {"standardise": True}
    assert LogitKD.Params.model_validate(on).model_dump(mode="json") == on
