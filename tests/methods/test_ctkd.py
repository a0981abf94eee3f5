"""CTKD against the authors' code; its temperature in a training, in a checkpoint, and not in the student's weights."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from cellar import files, models, paths
from cellar.config import Recipe
from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.engine import training
from cellar.engine.runtime import Optimizer
from cellar.engine.training import Batch, EpochIndices
from cellar.methods import registry
from cellar.methods.ctkd import CTKD, bounded, ctkd_loss, with_gradient_times
from cellar.pipeline.stages import distill_student, evaluate_student, train_teacher
from tests.engine.tiny import RECIPE, settings_of, tiny_set

from .reference import Reference, Values, assert_agrees
from .reference import settings_of as found_of

EPOCHS = 4
LABELS = torch.tensor([1, 0, 3, 3])
METHOD = {"name": "ctkd", "curriculum": 2}


def logits(seed: int) -> Tensor:
    return 5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("setting", found_of("ctkd"))
def test_loss_and_gradients_are_the_authors(setting: str) -> None:
    """That of θ after its reversal."""

    def loss(inputs: dict[str, Tensor], hp: Values) -> Tensor:
        theta = with_gradient_times(hp["lam"], inputs["aux_global_T"])
        temperature = bounded(theta, hp["t_start"], hp["t_end"])
        return ctkd_loss(inputs["student_logits"], inputs["teacher_logits"], temperature)

    assert_agrees(setting, loss)


@pytest.mark.parametrize("setting", found_of("ctkd"))
def test_the_temperature_is_the_authors(setting: str) -> None:
    given = Reference(setting)
    hp, theta = given.hyperparameters(), torch.from_numpy(given.arrays["aux_global_T"]).double()
    assert bounded(theta, hp["t_start"], hp["t_end"]).item() == pytest.approx(
        float(given.arrays["extra_temperature_used"])
    )


def prepared_method(epoch: int = 0, **given: Any) -> CTKD:
    """With a network of no layers, before an epoch."""
    method = CTKD(CTKD.Params.model_validate(given))
    method.wrap(nn.Identity())
    method.teacher = SimpleNamespace(logits=lambda image, augmentation: logits(1))  # type: ignore[assignment]
    method.begin_epoch(epoch, EpochIndices(LABELS, LABELS))
    return method


def test_the_reversal_follows_half_a_cosine_from_the_first_epoch() -> None:
    found = [prepared_method(epoch).reversal for epoch in (0, 4, 9, 50)]
    assert found == pytest.approx([(math.cos(math.pi / 10) - 1) / 2, -0.5, -1, -1])


def test_a_step_of_the_optimizer_makes_the_divergence_larger_and_weight_decay_acts_on_the_temperature_too() -> None:
    batch = Batch(slice(0, 4), LABELS, LABELS, LABELS)
    for decay in (0.0, 0.1):
        method = prepared_method(epoch=20)
        recipe = Recipe.model_validate(RECIPE | {"weight_decay": decay, "momentum": 0.0, "learning_rate": 0.01})
        optimizer = Optimizer(method.student, recipe)
        before = method.loss(logits(0), batch)
        optimizer.step(before["loss"])
        gradient, theta = method.student.theta.grad, method.student.theta.detach()
        assert gradient is not None
        torch.testing.assert_close(theta, 1 - 0.01 * (gradient + decay))
    after = prepared_method(epoch=20)
    after.student.theta.data -= 0.01 * gradient
    assert after.loss(logits(0), batch)["distill_loss"] > before["distill_loss"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prepared set and a trained teacher."""
    folder = tmp_path_factory.mktemp("ctkd")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tiny_set("tiny")
        train_teacher.run(TrainingSettings.model_validate(settings_of("teachers", "teacher")))
    return folder


def said(key: str) -> dict[str, Any]:
    recipe = RECIPE | {"epochs": EPOCHS, "learning_rate": 0.01}
    return settings_of("students", key, registry.resolve(METHOD), "teacher", recipe=recipe)


def train(key: str) -> Path:
    distill_student.run(TrainingSettings.model_validate(said(key)))
    return paths.trained("students", key, 0)


def test_the_temperature_is_learnt_and_is_no_part_of_the_students_weights(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    folder = train("study/whole")
    names = set(models.build("cnn4", 3, said("")["model_file"]).state_dict())
    assert all(set(files.read_tensors(folder / file)) == names for file in ("weights.safetensors", "last.safetensors"))
    temperature = pd.read_csv(folder / "history.csv").temperature
    start = 1 + 20 / (1 + math.exp(-1))
    assert temperature.nunique() == EPOCHS and temperature.iloc[0] == pytest.approx(start, rel=0.01)
    evaluated = {key: value for key, value in said("study/whole").items() if key in EvaluationSettings.model_fields}
    evaluate_student.run(EvaluationSettings.model_validate(evaluated | {"batch_size": 32}))


@pytest.mark.parametrize("killed_in_epoch", [1, 3])
def test_a_killed_training_resumes_to_the_same_bytes(
    killed_in_epoch: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    key, train_epoch, epochs = f"study/killed-{killed_in_epoch}", training.train_epoch, iter(range(EPOCHS))

    def killed(*arguments: Any) -> Any:
        if next(epochs) == killed_in_epoch:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    whole = train(f"{key}-not")
    monkeypatch.setattr(training, "train_epoch", killed)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
    with pytest.raises(KeyboardInterrupt):
        train(key)
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    facts = distill_student.run(TrainingSettings.model_validate(said(key)))
    assert facts and facts["resumed_from_epoch"] == killed_in_epoch
    for file in ("weights.safetensors", "last.safetensors", "losses.npz", "history.csv"):
        assert (paths.trained("students", key, 0) / file).read_bytes() == (whole / file).read_bytes()
