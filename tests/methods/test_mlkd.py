"""MLKD against the authors' code: the whole objective, its parts and its shares."""

import re

import pytest
import torch
from torch import Tensor

from cellar.methods.mlkd import (
    MLKD,
    TEMPERATURES,
    Views,
    batch_correlation_loss,
    class_correlation_loss,
    distill_loss,
    share_below_median,
    softened_divergence,
    sum_of_cross_entropies,
)
from tests.methods.reference import (
    Reference,
    Values,
    assert_agrees,
    assert_close,
    settings_of,
)

SETTINGS = [*settings_of("mlkd"), *settings_of("mlkd_lskd")]
PARTS = {"kd": softened_divergence, "cc": class_correlation_loss, "bc": batch_correlation_loss}


def views(inputs: dict[str, Tensor], side: str) -> Views:
    return Views(inputs[f"{side}_logits_weak"], inputs[f"{side}_logits_strong"])


@pytest.mark.parametrize("setting", SETTINGS)
def test_loss_and_gradients_are_the_authors(setting: str) -> None:
    def loss(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        student, teacher = views(inputs, "student"), views(inputs, "teacher")
        distill = distill_loss(student, teacher, hp["temperatures_all"], hp["logit_stand"])
        return hp["ce_weight"] * sum_of_cross_entropies(student, inputs["labels"]) + hp["kd_weight"] * distill

    assert_agrees(setting, loss)


@pytest.mark.parametrize("setting", settings_of("mlkd"))
def test_each_part_at_each_temperature_is_the_authors(setting: str) -> None:
    given = Reference(setting)
    inputs = given.inputs()
    named = [re.fullmatch(r"part_primitive_(kd|cc|bc)_T(\d+)_weak", key) for key in given.arrays]
    found = [match for match in named if match]
    assert len(found) >= 12
    for match in found:
        part = PARTS[match[1]](inputs["student_logits_weak"], inputs["teacher_logits_weak"], float(match[2]))
        assert_close(part, given.arrays[match[0]], match[0])


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_shares_are_those_of_the_authors_masks(setting: str) -> None:
    given = Reference(setting)
    probabilities = given.inputs()["teacher_logits_weak"].softmax(1)
    assert share_below_median(probabilities.amax(1)).item() == pytest.approx(given.arrays["extra_instance_mask"].mean())
    assert share_below_median(probabilities.sum(0)).item() == pytest.approx(given.arrays["extra_class_mask"].mean())


def test_the_defaults_are_the_published_ones() -> None:
    """Of its first setting, which has them."""
    hp, params = Reference("mlkd").hyperparameters(), MLKD.Params()
    assert hp["temperatures_all"] == [params.temperature, *TEMPERATURES[1:]]
    assert (params.task_weight, params.distill_weight) == (hp["ce_weight"], hp["kd_weight"])


def test_an_odd_number_of_values_has_one_more_than_half_at_or_below_the_median() -> None:
    assert share_below_median(torch.tensor([3.0, 1.0, 2.0])).item() == pytest.approx(2 / 3)
    assert share_below_median(torch.tensor([3.0, 1.0, 2.0, 4.0])).item() == 0.5
    assert share_below_median(torch.ones(4)).item() == 1
