"""What an epoch of a training costs: images that the teacher computes, the scale of the timed steps, and what is not needed."""

import ast
from pathlib import Path
from typing import Any

import pytest

from cellar import models, paths
from cellar.config.resolved import TrainingSettings
from cellar.engine import output_store, taught_features, training_costs
from cellar.models import features
from cellar.pipeline.stages import time_method

from ..conftest import ROOT
from .tiny import CLASSES, INPUT, RECIPE, SIZES, settings_of, tiny_set

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


@pytest.mark.parametrize(("budget_mb", "teacher"), [(64, "vector"), (0, "live")])
def test_vectors_are_stored_where_the_budget_allows_and_no_file_is_made(budget_mb: int, teacher: str) -> None:
    """In two epochs every image has two augmentations."""
    cache = {"batch_size": 16, "storage": "fp32", "budget_mb": budget_mb}
    found = measured({"name": "cc"}, teacher_cache=cache)
    assert (found["teacher"], found["teacher_images"]) == (teacher, EPOCHS * IMAGES)
    assert not paths.TEACHER_LOGITS.exists()


@pytest.mark.parametrize(("held", "images"), [(SIZES["train"], 2 * IMAGES), (20, 2 * 20 + 9 * (IMAGES - 20))])
def test_stored_pairs_are_computed_once_and_images_beyond_the_budget_in_every_step(
    held: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 images of 2 augmentations each, in 9 epochs."""
    settings = settings_of("students", "study/one", {"name": "cc"}, "nowhere", recipe=RECIPE | {"epochs": 9})
    for part in (settings, settings["teacher"]):
        part["input"] = INPUT | {"augmentation": "flip"}
    settings["teacher_cache"] |= {"budget_mb": 1}
    width = len(CLASSES) + features.of("cnn4", str(models.file_of("cnn4")), 32, 1).vector.shape[1]
    monkeypatch.setattr(output_store, "MB", held * 2 * (4 * width + 1))
    found = training_costs.measure(TrainingSettings.model_validate(settings), warmup=0, repeats=3)  # a whole epoch
    assert (found["teacher"], found["teacher_images"]) == ("vector", images)


def test_timed_steps_are_scaled_to_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of 16 images in 2 seconds: 40 images in 5."""
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr(training_costs.time, "perf_counter", lambda: next(ticks))
    found = measured({"name": "labels"})
    assert (BATCH, IMAGES) == (16, 40)
    assert (found["seconds_per_epoch"], found["images_per_second"]) == (5.0, 8.0)


def test_the_teachers_last_batch_counts_by_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 16 images takes 2 seconds, and before it a teacher's full batch of 64 for 16 images that no store has 2: half a second."""
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr(training_costs.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(taught_features, "is_worth_storing", lambda *_: True)
    found = measured({"name": "cc"}, teacher_cache={"batch_size": 64, "storage": "fp32", "budget_mb": 0})
    assert found["teacher"] == "vector"
    assert found["seconds_per_epoch"] == IMAGES / BATCH * 2.5


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
