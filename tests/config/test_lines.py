"""Lines of params.yaml: where a training starts from, by which method a student learns, and what contradicts itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from cellar.config import Experiment, ExperimentTeacher, Teacher

LINE: dict[str, Any] = {"dataset": "pins", "row": "r", "model": "resnet18", "recipe": "r"}
START: dict[str, Any] = {"start": {"teacher": "t"}, "freeze": True, "frozen_batch_norm": "eval"}


def test_a_line_without_a_method_learns_labels() -> None:
    assert Experiment.model_validate(LINE).method == {"name": "labels"}


def test_the_parameters_of_a_method_are_not_looked_at() -> None:
    method = {"name": "dkd", "alpha": 1, "beta": [8.0, "x"]}
    line = Experiment.model_validate(LINE | {"method": method})
    assert (line.method, line.method_name) == (method, "dkd")


def test_a_teacher_is_a_name_or_an_experiment() -> None:
    assert Experiment.model_validate(LINE | {"teacher": "t"}).teacher == "t"
    line = Experiment.model_validate(LINE | {"teacher": {"experiment": "e"}})
    assert line.teacher == ExperimentTeacher(experiment="e")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"freeze": True}, "freeze without start"),
        ({"start": {"teacher": "t"}}, "says freeze and frozen_batch_norm"),
        (START | {"start": {"teacher": "t", "weights": "w.pth"}}, "exactly one of teacher, experiment, weights"),
        (START | {"start": {"teacher": "t", "weights_key": "ema"}}, "weights_key says where in a file the weights lie"),
        ({"method": {}}, "a mapping with its name"),
        ({"method": {"name": 1}}, "a mapping with its name"),
        ({"method": "labels"}, "a mapping with its name"),
        ({"teacher": 1}, "teacher\n.*valid string"),
        ({"teacher": {"experiment": 1}}, "teacher.experiment\n.*valid string"),
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


def test_a_key_of_no_file_is_refused() -> None:
    line = {"dataset": "pins", "model": "resnet18", "recipe": "r", "weights_key": "ema"}
    with pytest.raises(ValidationError, match="weights_key says where in a file the weights lie: name the file"):
        Teacher.model_validate(line)
    assert Teacher.model_validate({**line, "weights": "w.pth"}).weights_key == "ema"
