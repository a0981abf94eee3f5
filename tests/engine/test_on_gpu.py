"""What only a GPU can show: no step raises there, the same bytes come twice, and a CPU reads what a GPU has trained."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cellar import files, models, paths
from cellar.config.resolved import TrainingSettings
from cellar.data.inputs.augmentation import build_augmentation
from cellar.engine import evaluate, runtime, setup
from cellar.engine.output_store import OutputStore
from cellar.engine.runtime import Optimizer
from cellar.engine.teacher import CachedTeacher, FixedBatchTeacher
from cellar.methods import registry
from tests.engine import steps

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: torch.cuda.is_available() is false"),
]


@pytest.fixture(autouse=True)
def with_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    steps.write_inputs()
    yield
    torch.set_deterministic_debug_mode("default")


def distillation(epochs: int = 1) -> TrainingSettings:
    settings: TrainingSettings = next(steps.settings_of_method("logit_kd"))
    steps.write_teacher(settings)
    return settings.model_copy(update={"recipe": settings.recipe.model_copy(update={"epochs": epochs})})


def trained(settings: TrainingSettings) -> dict[str, bytes]:
    """The files of a training's results, from an empty teacher cache."""
    shutil.rmtree(paths.TEACHER_LOGITS, ignore_errors=True)
    setup.run(settings)
    folder = paths.trained(settings.kind, settings.key, settings.seed)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", steps.trainings())
def test_a_training_and_its_evaluation_run(settings: TrainingSettings, precision: str) -> None:
    steps.write_teacher(settings)
    settings = settings.model_copy(update={"precision": precision})
    facts = setup.run(settings)
    assert facts and facts["device"] == "cuda"
    assert evaluate.run(steps.evaluation_of(settings))["device"] == "cuda"


@pytest.mark.parametrize("name", steps.generators())
def test_a_generator_is_trained(name: str) -> None:
    build, settings = files.load_module(registry.file_of(name)).build_setup, steps.generator_settings()
    facts = setup.run_training(Path("generator"), settings, "fp32", [], partial(build, settings))
    assert facts and facts["device"] == "cuda"


def test_the_same_distillation_gives_the_same_bytes() -> None:
    assert trained(distillation()) == trained(distillation())


def test_a_killed_training_ends_with_the_bytes_of_one_that_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(distillation(epochs=3))
    monkeypatch.setattr(runtime, "COST_SHARE", 1e9)
    step, steps_before = Optimizer.step, iter(range(3))  # two steps an epoch: killed in the second

    def killed(self: Optimizer, loss: Tensor) -> None:
        if next(steps_before, None) is None:
            raise KeyboardInterrupt
        step(self, loss)

    monkeypatch.setattr(Optimizer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(distillation(epochs=3))
    monkeypatch.setattr(Optimizer, "step", step)
    facts = setup.run(distillation(epochs=3))
    assert facts and facts["resumed_from_epoch"] == 1
    folder = paths.trained("students", "toy/logit_kd", 0)
    assert whole == {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_logits_through_the_cache_are_those_of_the_teacher() -> None:
    device = runtime.prepare(1)
    augmentation = build_augmentation("crop_flip", "cifar100")
    images = torch.randint(256, (37, 3, 32, 32), dtype=torch.uint8, device=device)
    teacher = FixedBatchTeacher(
        lambda: runtime.place(models.build("resnet8x4", 7), device), images, augmentation, 16, "fp32"
    )
    image, index = torch.arange(37, device=device), torch.arange(37, device=device) * 4
    cached = CachedTeacher(teacher, OutputStore({}, 37, augmentation.count, 7, "fp32", 64))
    direct = torch.cat(list(teacher.outputs(image, index)))
    for _ in range(2):  # computed, then looked up
        assert torch.equal(cached.logits(image, index), direct)
    assert teacher.images_forwarded == 2 * 37


def test_a_cpu_predicts_what_the_gpu_does(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = distillation()
    setup.run(settings)
    found = []
    for device in (runtime.prepare(1), torch.device("cpu")):
        monkeypatch.setattr(runtime, "prepare", lambda threads, device=device: device)
        evaluate.run(steps.evaluation_of(settings))
        found.append(files.read_arrays(paths.predictions("students", "toy/logit_kd", 0) / "predictions.npz")["logits"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-3)
