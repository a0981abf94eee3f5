"""R², MSE and MAE against scikit-learn on the whole, read in parts from memory-mapped files."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from cellar.metrics import features as feature_metrics
from cellar.metrics.features import compare


def features(rows: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """As after a ReLU: not negative, some always 0. The mean is far from 0 compared with the spread."""
    random = np.random.default_rng(seed)
    teacher = (5 + random.normal(size=(rows, width)) * random.uniform(0.01, 2, width)).astype(np.float32)
    student = (teacher + random.normal(size=(rows, width))).astype(np.float32)
    return student, teacher


def assert_as_scikit_learn(student: np.ndarray, teacher: np.ndarray) -> None:
    found = compare(student, teacher)
    wanted, guessed = teacher.astype(np.float64), student.astype(np.float64)
    assert found["r2"] == pytest.approx(r2_score(wanted, guessed, multioutput="uniform_average"), rel=1e-9)
    assert found["mse"] == pytest.approx(mean_squared_error(wanted, guessed), rel=1e-9)
    assert found["mae"] == pytest.approx(mean_absolute_error(wanted, guessed), rel=1e-9)


@pytest.mark.parametrize("rows", [2, 1023, 1024, 1025, 3000])
def test_as_scikit_learn_whatever_the_parts(rows: int) -> None:
    assert_as_scikit_learn(*features(rows, 7))


def test_a_constant_feature_counts_as_scikit_learn_counts_it() -> None:
    """1 where the student equals it, 0 where it does not; a neuron that never fires is no rarity after a ReLU."""
    student, teacher = features(50, 5)
    teacher[:, :3], student[:, 0] = 0, 0
    teacher[:, 3] = student[:, 3] = 3
    assert_as_scikit_learn(student, teacher)
    assert compare(teacher, teacher) == {"r2": 1, "mse": 0, "mae": 0}


def test_a_constant_that_binary_cannot_hold_is_constant_all_the_same() -> None:
    """A mean of many 0.1 need not be 0.1; a spread of 1e-17 made of that would give an R² of minus trillions."""
    teacher = np.full((5000, 1), 0.1)
    assert compare(teacher + 1, teacher)["r2"] == 0


def test_the_mean_of_the_teacher_has_r2_0_and_the_arrays_are_not_interchangeable() -> None:
    student, teacher = features(400, 6)
    means = np.broadcast_to(teacher.astype(np.float64).mean(0), teacher.shape)
    assert compare(means, teacher)["r2"] == pytest.approx(0, abs=1e-9)
    assert compare(student, teacher)["r2"] != pytest.approx(compare(teacher, student)["r2"], rel=1e-3)


def test_memory_mapped_half_precision_is_read_in_parts(tmp_path: Path) -> None:
    """Of 24 MB of teacher, a part of 512 rows at a time: 2 MB in float64."""
    student, teacher = (part.astype(np.float16) for part in features(24_000, 512))
    np.save(tmp_path / "teacher.npy", teacher)
    np.save(tmp_path / "student.npy", student)
    wanted = compare(student, teacher)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("student", "teacher")]
    tracemalloc.start()
    found = compare(*mapped)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == wanted
    assert peak < 10 * feature_metrics.ROWS * 512 * 8 < 2 * teacher.nbytes
    assert_as_scikit_learn(student, teacher)


def test_one_image_has_no_r2() -> None:
    student, teacher = features(1, 4)
    assert math.isnan(compare(student, teacher)["r2"]) and compare(student, teacher)["mse"] > 0


def test_other_shapes_are_refused_rather_than_broadcast() -> None:
    for shape in ((1, 4), (3, 1), (0, 4)):
        with pytest.raises(ValueError, match="compared image for image"):
            compare(np.zeros(shape), np.zeros((3, 4) if shape[0] else shape))
