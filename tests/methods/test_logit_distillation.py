"""The base of distillation from logits, what its losses share, and a training by each method that has it."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from cellar import files, paths
from cellar.config.resolved import TrainingSettings
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.methods.logit_distillation import LogitDistillation, full_precision, standardised, without_label
from cellar.pipeline.stages import distill_student, train_teacher
from tests.engine.tiny import RECIPE, settings_of, tiny_set

METHODS = [name for name in registry.known() if issubclass(registry.load(name), LogitDistillation)]
REQUIRED: dict[str, dict[str, Any]] = {
    "logit_kd": {"temperature": 4, "task_weight": 0.1, "distill_weight": 0.9, "loss_form": "weighted"}
}
VARIANTS = [
    *((name, {}) for name in METHODS),
    ("logit_kd", {"temperature": 2, "distill_weight": 9, "standardise": True}),
    ("dkd", {"temperature": 2, "distill_weight": 9, "standardise": True}),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prepared set and a trained teacher."""
    folder = tmp_path_factory.mktemp("logits")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tiny_set("tiny")
        train_teacher.run(TrainingSettings.model_validate(settings_of("teachers", "teacher")))
    return folder


def train(key: str, name: str, **given: Any) -> Path:
    """The folder of a training of two epochs on the tiny set."""
    method = registry.resolve({"name": name, **REQUIRED.get(name, {}), **given})
    recipe = RECIPE | {"learning_rate": 0.001}  # at 0.05 its network, without batch norm, does not bear losses of 20
    said = settings_of("students", key, method, "teacher", recipe=recipe)
    distill_student.run(TrainingSettings.model_validate(said))
    return paths.trained("students", key, 0)


@pytest.mark.parametrize(("name", "given"), VARIANTS)
def test_a_training_logs_both_terms_and_gives_the_same_bytes_twice(
    name: str, given: dict[str, Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    first, second = (train(f"study/{run}-{name}-{len(given)}", name, **given) for run in ("first", "second"))
    for file in ("weights.safetensors", "last.safetensors", "losses.npz", "history.csv"):
        assert (first / file).read_bytes() == (second / file).read_bytes()
    history = pd.read_csv(first / "history.csv")
    assert len(history) == 2 and history[["train_loss", "task_loss", "distill_loss"]].map(math.isfinite).all(axis=None)
    params = registry.resolve({"name": name, **REQUIRED.get(name, {}), **given})
    total = params["task_weight"] * history.task_loss + params["distill_weight"] * history.distill_loss
    assert history.train_loss.to_numpy() == pytest.approx(total.to_numpy(), rel=1e-4, abs=1e-5)


def test_no_two_methods_learn_the_same_from_the_same_start(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    weights = [
        files.hash_file(train(f"study/other-{name}-{len(given)}", name, **given) / "last.safetensors")
        for name, given in VARIANTS
    ]
    assert len(set(weights)) == len(VARIANTS)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"name": "dkd", "temperature": 0}, "method dkd: temperature: input should be greater than 0"),
        ({"name": "dkd", "warm_up": 0}, "method dkd: warm_up: input should be greater than or equal to 1"),
        ({"name": "dkd", "standardize": True}, "method dkd: standardize: unknown key .did you mean 'standardise'"),
        ({"name": "nkd", "non_target_weight": -1}, "method nkd: non_target_weight"),
        ({"name": "dist", "inter_weight": "much"}, "method dist: inter_weight"),
        ({"name": "ttm", "exponent": 0}, "method ttm: exponent"),
        ({"name": "wttm", "exponent": math.inf}, "method wttm: exponent"),
        ({"name": "ofa", "task_weight": 0, "distill_weight": 0}, "method ofa: .*both 0: nothing would be learnt"),
        ({"name": "logit_distillation"}, "no method is called 'logit_distillation'"),
    ],
)
def test_wrong_parameters_are_one_line(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(CellarError, match=line) as caught:
        registry.resolve(settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", METHODS)
def test_without_a_teacher_it_is_one_line(name: str) -> None:
    method = registry.load(name)
    settings = TrainingSettings.model_validate(settings_of("students", "study/row", {"name": name}))
    with pytest.raises(CellarError, match=f"study/row: method {name} needs a teacher; name one"):
        method(method.Params.model_validate(REQUIRED.get(name, {}))).check(settings)


def test_half_precision_becomes_float32_and_the_rest_stays() -> None:
    for given, wanted in ((torch.bfloat16, torch.float32), (torch.half, torch.float32)):
        assert full_precision(torch.ones(2, dtype=given)).dtype == wanted
    for kept in (torch.ones(2), torch.ones(2, dtype=torch.float64)):
        assert full_precision(kept) is kept


def test_standardised_logits_have_mean_0_and_deviation_1() -> None:
    found = standardised(torch.tensor([[1.0, 2.0, 3.0], [10.0, 10.0, 40.0]], dtype=torch.float64))
    torch.testing.assert_close(found[0], torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.mean(1), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(found.std(1), torch.ones(2, dtype=torch.float64), atol=1e-6, rtol=0)


def test_standardisation_forgets_shift_and_scale() -> None:
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(standardised(7 * logits - 3), standardised(logits), atol=1e-6, rtol=0)


def test_equal_logits_are_standardised_to_0_with_finite_gradients() -> None:
    logits = torch.full((2, 5), 3.0, requires_grad=True)
    found = standardised(logits)
    found.square().sum().backward()
    assert found.abs().max() == 0 and logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_the_label_are_the_probabilities_of_the_other_classes(dtype: torch.dtype) -> None:
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 3e4]], dtype=dtype)
    found = without_label(logits, torch.tensor([1, 2])).softmax(1)
    assert found[0, 1] == 0 and found[1, 2] == 0
    torch.testing.assert_close(found[0, [0, 2]], logits[0, [0, 2]].softmax(0))
    torch.testing.assert_close(found[1, :2], logits[1, :2].softmax(0))
