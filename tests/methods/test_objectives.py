"""Which rows of the teacher's features a batch is compared with, and a connector that was forgotten."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cellar.engine.training import Batch, Draw
from cellar.errors import CellarError
from cellar.methods.losses.feature_distillation import bce_loss, mse_loss
from cellar.methods.objectives.features import FeatureDistillation


@pytest.fixture
def stored(tmp_path: Path) -> np.ndarray:
    """Features (20, 4) float16 between 0 and 1, memory-mapped, read only."""
    np.save(tmp_path / "features.npy", np.random.default_rng(0).random((20, 4)).astype(np.float16))
    return np.load(tmp_path / "features.npy", mmap_mode="r")


def batch_of(place: slice) -> Batch:
    return Batch(place, torch.zeros(place.stop - place.start, dtype=torch.int64))


@pytest.mark.parametrize(("name", "loss"), [("mse", mse_loss), ("bce", bce_loss)])
def test_a_batch_meets_the_features_of_its_own_images(name, loss, stored: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    draw = Draw(torch.tensor([7, 3, 3, 19, 0, 11]), torch.zeros(6, dtype=torch.int64))
    objective = FeatureDistillation(stored, name)
    objective.begin_epoch(draw)
    student = torch.randn(2, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    losses = objective(student, batch_of(slice(2, 4)))
    assert losses["loss"].item() == loss(student, torch.from_numpy(stored[[3, 19]])).item()
    assert losses["distill"].item() == losses["loss"].item() and losses["task"].item() == 0
    losses["loss"].backward()
    assert student.grad.abs().sum() > 0


def test_the_teachers_own_features_have_no_loss(stored: np.ndarray) -> None:
    objective = FeatureDistillation(stored, "mse")
    objective.begin_epoch(Draw(torch.arange(20), torch.zeros(20, dtype=torch.int64)))
    assert objective(torch.tensor(stored[5:9]).float(), batch_of(slice(5, 9)))["loss"].item() == 0


def test_a_student_without_connector_is_one_line(stored: np.ndarray) -> None:
    objective = FeatureDistillation(stored, "mse")
    objective.begin_epoch(Draw(torch.arange(20), torch.zeros(20, dtype=torch.int64)))
    with pytest.raises(CellarError, match=r"student has 3 features, its teacher 4; .*connector"):
        objective(torch.zeros(2, 3), batch_of(slice(0, 2)))
