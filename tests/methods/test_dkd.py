"""DKD against the authors' code, its identity with KD, and logits that make the authors' code infinite."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from cellar.engine.training import Batch, EpochIndices
from cellar.methods.dkd import DKD, dkd_loss, label_and_rest
from cellar.methods.logit_distillation import standardised
from cellar.methods.logit_kd import kl_divergence

from .reference import Reference, Values, assert_agrees, assert_close, settings_of

LABELS = torch.tensor([1, 0, 3, 3])


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weighted(inputs: dict[str, Tensor], target: float, other: float, temperature: float) -> Tensor:
    arguments = inputs["student_logits"], inputs["teacher_logits"], inputs["labels"]
    return dkd_loss(*arguments, temperature=temperature, target_weight=target, non_target_weight=other)


@pytest.mark.parametrize("setting", settings_of("dkd"))
def test_loss_and_gradient_are_the_authors(setting: str) -> None:
    assert_agrees(setting, lambda inputs, hp: weighted(inputs, hp["alpha"], hp["beta"], hp["temperature"]))


def test_where_the_authors_float32_is_infinite_ours_is_the_float64() -> None:
    given = Reference("dkd__saturated", torch.float32)
    assert np.isinf(given.arrays["loss_float32"])
    inputs, hp = given.inputs(), given.hyperparameters()
    loss = weighted(inputs, hp["alpha"], hp["beta"], hp["temperature"])
    loss.backward()
    gradient, wanted = inputs["student_logits"].grad, given.arrays["grad_student_logits"]
    assert loss.item() == pytest.approx(float(given.arrays["loss"]), rel=1e-6)
    assert gradient is not None and np.abs(gradient.numpy() - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("setting", settings_of("dkd"))
def test_both_parts_are_the_authors(setting: str) -> None:
    given = Reference(setting)
    inputs, temperature = given.inputs(), given.hyperparameters()["temperature"]
    assert_close(weighted(inputs, 1, 0, temperature), given.arrays["part_tckd"], "TCKD")
    assert_close(weighted(inputs, 0, 1, temperature), given.arrays["part_nckd"], "NCKD")


@pytest.mark.parametrize("setting", settings_of("lskd_dkd"))
def test_with_standardised_logits_too(setting: str) -> None:
    def loss(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        both = {name: standardised(inputs[name]) for name in ("student_logits", "teacher_logits")}
        return weighted(inputs | both, hp["alpha_effective"], hp["beta_effective"], hp["temperature"])

    assert_agrees(setting, loss)


@pytest.mark.parametrize("setting", [*settings_of("dkd"), *settings_of("lskd_dkd")])
def test_the_method_has_the_authors_warm_up_and_cross_entropy(setting: str) -> None:
    given = Reference(setting)
    if "hp_epoch" not in given:
        return  # a setting of the loss alone
    inputs, hp = given.inputs(), given.hyperparameters()
    weights = {"target_weight": hp.get("alpha", 1.0), "non_target_weight": hp.get("beta", hp.get("beta_base"))}
    method = DKD(DKD.Params(
        temperature=hp["temperature"], warm_up=hp["warmup_epochs"], distill_weight=hp.get("kd_weight", 1.0),
        standardise=setting.startswith("lskd"), **weights,
    ))  # fmt: skip
    taught = inputs["teacher_logits"]
    method.teacher = SimpleNamespace(logits=lambda image, augmentation: taught)  # type: ignore[assignment]
    labels = inputs["labels"]
    method.begin_epoch(hp["epoch"] - 1, EpochIndices(labels, labels))
    terms = method.loss(inputs["student_logits"], Batch(slice(0, len(labels)), labels, labels, labels))
    assert_close(terms["task_loss"], given.arrays["part_weighted_ce"], "CE")
    weighted_kd = terms["loss"] - terms["task_loss"]
    assert_close(weighted_kd, given.arrays["part_weighted_kd_after_warmup"], "KD after warm-up")
    assert_close(
        hp.get("kd_weight", 1.0) * terms["distill_loss"], given.arrays["part_weighted_kd_after_warmup"], "its term"
    )


def test_the_two_parts_weighted_by_the_teachers_doubt_are_kd() -> None:
    """Eq. 6 of the paper: KD = TCKD + (1 - p_y) NCKD for each image, p the teacher's."""
    for row in range(4):
        student, teacher, label = logits(0)[[row]], logits(1)[[row]], LABELS[[row]]
        doubt = 1 - (teacher / 3).softmax(1)[0, label].item()
        found = dkd_loss(student, teacher, label, temperature=3, target_weight=1, non_target_weight=doubt)
        torch.testing.assert_close(found, 9 * kl_divergence(student, teacher, 3))


def test_adding_a_constant_to_all_logits_of_an_image_changes_nothing() -> None:
    weights = {"temperature": 2.0, "target_weight": 1.0, "non_target_weight": 8.0}
    shift = torch.tensor([[1.0], [-3.0], [20.0], [0.0]], dtype=torch.float64)
    shifted = dkd_loss(logits(0) + shift, logits(1) - shift, LABELS, **weights)
    torch.testing.assert_close(shifted, dkd_loss(logits(0), logits(1), LABELS, **weights))


def test_label_and_rest_have_the_probabilities_of_the_label_and_of_any_other_class() -> None:
    found = label_and_rest(logits(0), LABELS).softmax(1)
    wanted = logits(0).softmax(1)[torch.arange(4), LABELS]
    torch.testing.assert_close(found, torch.stack([wanted, 1 - wanted], dim=1))


@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_sure_networks_give_finite_losses_and_gradients_in_float32(scale: float) -> None:
    """A student that gives its label all, and one that gives it nothing: in float32 the probabilities are 0."""
    certain = scale * torch.eye(5)[[1, 2, 3, 4]]
    student = certain.requires_grad_()
    loss = dkd_loss(student, -certain.detach(), LABELS, temperature=1, target_weight=1, non_target_weight=8)
    loss.backward()
    assert loss.isfinite() and student.grad is not None and student.grad.isfinite().all()


def test_no_gradient_reaches_the_teacher() -> None:
    student, teacher = logits(0).requires_grad_(), logits(1).requires_grad_()
    dkd_loss(student, teacher, LABELS, temperature=1, target_weight=1, non_target_weight=1).backward()
    assert teacher.grad is None and student.grad is not None
