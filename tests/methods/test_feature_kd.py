"""The two distances between features, against sums written out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cellar.engine.training import Batch, EpochIndices
from cellar.errors import CellarError
from cellar.methods.feature_kd import FeatureKD, RandomImages, bce_loss, mse_loss

STUDENT = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
TEACHER = [[2.0, 1.0, 0.0], [-1.0, 0.5, 4.0]]
PROBABILITIES = [[0.9, 0.1, 0.5], [0.0, 1.0, 0.3]]
SQUARES = [(s - t) ** 2 for mine, other in zip(STUDENT, TEACHER, strict=True) for s, t in zip(mine, other, strict=True)]


def test_mean_over_images_and_features() -> None:
    found = mse_loss(torch.tensor(STUDENT), torch.tensor(TEACHER))
    assert found.item() == pytest.approx(sum(SQUARES) / 6)


def test_bce_term_by_term() -> None:
    def term(logit: float, wanted: float) -> float:
        q = 1 / (1 + math.exp(-logit))
        return -(wanted * math.log(q) + (1 - wanted) * math.log(1 - q))

    pairs = [p for row in zip(STUDENT, PROBABILITIES, strict=True) for p in zip(*row, strict=True)]
    found = bce_loss(torch.tensor(STUDENT), torch.tensor(PROBABILITIES))
    assert found.item() == pytest.approx(sum(term(*pair) for pair in pairs) / 6, rel=1e-5)


def test_bce_is_least_where_the_students_sigmoid_is_the_teachers() -> None:
    """Its gradient is (σ(s) - t) / (b D): 0 there, and finite for logits whose sigmoid is 0 or 1 in float32."""
    wanted = torch.tensor(PROBABILITIES).clamp(0.01, 0.99)
    student = wanted.logit().requires_grad_()
    bce_loss(student, wanted).backward()
    torch.testing.assert_close(student.grad, torch.zeros(2, 3), atol=1e-7, rtol=0)
    extreme = (torch.tensor(STUDENT) * 1e4).requires_grad_()
    loss = bce_loss(extreme, torch.tensor(PROBABILITIES))
    loss.backward()
    assert loss.isfinite() and extreme.grad.isfinite().all()


@pytest.mark.parametrize("loss", [mse_loss, bce_loss])
def test_stored_half_precision_is_read_in_float32_and_gets_no_gradient(loss) -> None:  # type: ignore[no-untyped-def]
    student = torch.tensor(STUDENT, requires_grad=True)
    teacher = torch.tensor(PROBABILITIES, dtype=torch.float16)
    found = loss(student, teacher)
    assert found.dtype == torch.float32
    assert found.item() == loss(student, teacher.float()).item()
    asking = teacher.float().requires_grad_()
    loss(student, asking).backward()
    assert asking.grad is None and student.grad.abs().sum() > 0


@pytest.fixture
def stored(tmp_path: Path) -> np.ndarray:
    """Features (20, 4) float16 between 0 and 1, memory-mapped, read only."""
    np.save(tmp_path / "features.npy", np.random.default_rng(0).random((20, 4)).astype(np.float16))
    return np.load(tmp_path / "features.npy", mmap_mode="r")


def batch_of(position: slice) -> Batch:
    nothing = torch.zeros(position.stop - position.start, dtype=torch.int64)
    return Batch(position, nothing, nothing, nothing)


def method_with(stored: np.ndarray, loss: str, image: Tensor) -> FeatureKD:
    method = FeatureKD(FeatureKD.Params(loss=loss, images_per_epoch=len(image)))
    method.targets_of_faces = stored
    method.begin_epoch(0, EpochIndices(image, torch.zeros_like(image)))
    return method


@pytest.mark.parametrize(("name", "loss"), [("mse", mse_loss), ("bce", bce_loss)])
def test_a_batch_meets_the_features_of_its_own_images(name, loss, stored: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    method = method_with(stored, name, torch.tensor([7, 3, 3, 19, 0, 11]))
    student = torch.randn(2, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    losses = method.loss(student, batch_of(slice(2, 4)))
    assert losses["loss"].item() == loss(student, torch.from_numpy(stored[[3, 19]])).item()
    assert list(losses) == ["loss"]
    losses["loss"].backward()
    assert student.grad.abs().sum() > 0


def test_the_teachers_own_features_have_no_loss(stored: np.ndarray) -> None:
    method = method_with(stored, "mse", torch.arange(20))
    assert method.loss(torch.tensor(stored[5:9]).float(), batch_of(slice(5, 9)))["loss"].item() == 0


def test_a_student_without_connector_is_one_line(stored: np.ndarray) -> None:
    method = method_with(stored, "mse", torch.arange(20))
    with pytest.raises(CellarError, match=r"student has 3 features, its teacher 4; .*connector"):
        method.loss(torch.zeros(2, 3), batch_of(slice(0, 2)))


def test_images_come_with_replacement_and_all_can_come() -> None:
    index = RandomImages(2000, 100, 2, 0, torch.device("cpu"))(0).image
    assert sorted(set(index.tolist())) == list(range(100))
