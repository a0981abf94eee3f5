"""A small prepared data set and resolved settings, for tests that run whole stages."""

from typing import Any

import numpy as np

from cellar import models, paths
from cellar.data.inputs import prepared
from cellar.data.inputs.prepared import ImageSet

CLASSES = ("ant", "bee", "cat")
SIZES = {"train": 40, "validation": 16, "test": 24}
RECIPE: dict[str, Any] = {
    "epochs": 2, "batch_size": 16, "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0001,
    "schedule": {"step": {"every": 5, "factor": 0.2}}, "class_weighting": "none", "select_on": "validation_accuracy",
}  # fmt: skip
INPUT = {"input_size": 32, "augmentation": "crop_flip", "normalisation": "cifar100"}


def tiny_set(name: str) -> None:
    """Write data/prepared/<name>: noise of another brightness for each class."""
    generator = np.random.default_rng(0)
    split = np.repeat(list(SIZES), list(SIZES.values()))
    labels = np.arange(len(split)) % len(CLASSES)
    images = generator.integers(120, size=(len(split), 32, 32, 3)) + 60 * labels[:, None, None, None]
    prepared.save(ImageSet(images.astype(np.uint8), labels, split, CLASSES), paths.prepared(name), name, "fer2013")


def settings_of(
    kind: str, key: str, method: dict[str, Any] | None = None, teacher: str | None = None, **changes: Any
) -> dict[str, Any]:
    """Resolved settings of a training on the set `tiny`, as plain data."""
    method, network = method or {"name": "labels"}, str(models.file_of("cnn4"))
    taught = {
        "weights": str(paths.trained("teachers", str(teacher), 0) / "weights.safetensors"),
        "model": "cnn4",
        "model_file": network,
        "input": INPUT,
    }
    return {
        "kind": kind, "key": key, "seed": 0, "dataset": "tiny", "model": "cnn4", "model_file": network, "input": INPUT,
        "threads": 1, "precision": "fp32", "method": method, "method_file": f"src/cellar/methods/{method['name']}.py",
        "recipe": RECIPE, "teacher": taught if teacher else None,
        "teacher_cache": {"batch_size": 16, "storage": "fp32", "budget_mb": 64} if teacher else None, **changes,
    }  # fmt: skip
