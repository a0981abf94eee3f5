"""What an epoch of a training costs: images that the teacher computes, the scale of the timed steps, and what is not needed."""

import ast
from pathlib import Path
from typing import Any

import pytest

from cellar import paths
from cellar.config.resolved import TrainingSettings
from cellar.engine import training_costs
from cellar.pipeline.stages import time_method

from ..conftest import ROOT
from .tiny import RECIPE, SIZES, settings_of, tiny_set

IMAGES, EPOCHS, BATCH = SIZES["train"], int(RECIPE["epochs"]), int(RECIPE["batch_size"])
KD = {"name": "logit_kd", "temperature": 4, "task_weight": 0.5, "distill_weight": 0.5, "loss_form": "weighted"}
UNDECLARED = ("cellar.config", "cellar.errors", "cellar.paths")  # cannot change a result (pipeline.code)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_set("tiny")


def measured(method: dict[str, Any], **changes: Any) -> dict[str, Any]:
    teacher = None if method["name"] == "labels" else "nowhere"
    settings = settings_of("students", "study/one", method, teacher, **changes)
    return training_costs.measure(TrainingSettings.model_validate(settings), warmup=1, repeats=1)


@pytest.mark.parametrize(
    ("method", "teacher", "images"),
    [
        ({"name": "labels"}, "none", 0),
        (KD, "logits", IMAGES * EPOCHS),  # fewer than the 162 augmentations of each image
        ({"name": "fitnet"}, "live", IMAGES * EPOCHS),
        ({"name": "ab", "first_stage_epochs": 1}, "live", IMAGES),  # the second stage learns from labels alone
    ],
)
def test_the_teachers_images_are_those_that_the_whole_training_asks_for(
    method: dict[str, Any], teacher: str, images: int
) -> None:
    found = measured(method)
    assert (found["teacher"], found["teacher_images"]) == (teacher, images)
    assert found["seconds_per_epoch"] > 0 and found["peak_memory_mb"] >= 0


def test_timed_steps_are_scaled_to_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of 16 images in 2 seconds: 40 images in 5."""
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr(training_costs.time, "perf_counter", lambda: next(ticks))
    found = measured({"name": "labels"})
    assert (BATCH, IMAGES) == (16, 40)
    assert (found["seconds_per_epoch"], found["images_per_second"]) == (5.0, 8.0)


def test_neither_a_trained_teacher_nor_a_cache_is_needed_or_made() -> None:
    assert not paths.trained("teachers", "nowhere", 0).exists()
    measured(KD)
    assert not paths.TEACHER_LOGITS.exists()


def test_the_code_that_it_imports_is_declared() -> None:
    declared = {path.removesuffix(".py") for path in time_method.KIND.code}
    for node in ast.walk(ast.parse((ROOT / "src/cellar/engine/training_costs.py").read_text(encoding="utf-8"))):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module.startswith("cellar.") and not module.startswith(UNDECLARED):
            path = Path("src", *module.split("."))
            assert {str(place) for place in (path, *path.parents)} & declared, module
