"""Lines of params.yaml: where a training starts from, by which method a student learns, and what contradicts itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from cellar.config import Experiment, Teacher

LINE: dict[str, Any] = {"dataset": "pins", "row": "r", "model": "resnet18", "recipe": "r"}
START: dict[str, Any] = {"start": {"teacher": "t"}, "freeze": True, "frozen_batch_norm": "eval"}
FEATURES = {"faces": "f", "loss": "mse", "images_per_epoch": 64}
TRIPLETS = {"margin": 1.0, "per_epoch": 64}
TASKS = {
    "ways": 2, "shots": 1, "queries": 1, "per_epoch": 4, "inner_learning_rate": 0.1, "inner_steps": 1, "first_order": True,
}  # fmt: skip
LOGITS = {"teacher": "t", "temperature": 1, "task_weight": 0.1, "distill_weight": 0.9, "loss_form": "weighted"}


@pytest.mark.parametrize(
    ("keys", "method"),
    [
        ({}, "labels"),
        (START, "labels"),
        (LOGITS, "logits"),
        ({"teacher": "t", "features": FEATURES}, "features"),
        ({"triplets": TRIPLETS}, "triplets"),
        ({"tasks": TASKS}, "tasks"),
    ],
)
def test_a_line_says_by_which_method_it_learns(keys: dict[str, Any], method: str) -> None:
    assert Experiment.model_validate(LINE | keys).method == method


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"freeze": True}, "freeze without start"),
        ({"start": {"teacher": "t"}}, "says freeze and frozen_batch_norm"),
        (START | {"start": {"teacher": "t", "weights": "w.pth"}}, "exactly one of teacher, experiment, weights"),
        ({"features": FEATURES}, "features without a teacher"),
        ({"triplets": TRIPLETS, "tasks": TASKS}, "triplets and tasks exclude each other"),
        ({"triplets": TRIPLETS, "teacher": "t"}, "triplets need no teacher"),
        (START | {"features": FEATURES, "teacher": "t"}, "start goes with learning from labels or triplets"),
        (START | {"triplets": TRIPLETS}, "say freeze: false"),
        ({"triplets": TRIPLETS, "distill_weight": 0.5}, "distill_weight without a teacher of logits"),
        ({"teacher": "t"}, "says temperature"),
        ({"model": "resnet18+conector"}, "model"),
    ],
)
def test_what_contradicts_itself_is_said(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Experiment.model_validate(LINE | keys)


def test_a_teacher_may_start_from_weights_of_another_set() -> None:
    line = {"dataset": "pins", "model": "resnet50_vggface2+sigmoid", "recipe": "r"}
    teacher = Teacher.model_validate(line | START | {"start": {"weights": "resnet50_ft_weight.pkl"}})
    assert teacher.start and teacher.start.weights == "resnet50_ft_weight.pkl"


def test_weights_as_they_are_are_no_start() -> None:
    line = {"dataset": "pins", "model": "resnet18", "recipe": "r", "weights": "w.pth"}
    with pytest.raises(ValidationError, match="weights and start exclude each other"):
        Teacher.model_validate(line | START)


@pytest.mark.parametrize(
    ("keys", "stage"),
    [
        (LOGITS, "evaluate_student"),
        (START | {"model": "resnet18+connector"}, "evaluate_student_connected"),
        ({"triplets": TRIPLETS}, "evaluate_triplets"),
        ({"teacher": "t", "features": FEATURES, "model": "resnet18+connector"}, "evaluate_features_connected"),
    ],
)
def test_a_line_names_the_stage_that_evaluates_it(keys: dict[str, Any], stage: str) -> None:
    assert Experiment.model_validate(LINE | keys).evaluation == stage
