"""Distance of a student's features from its teacher's: R², mean squared and mean absolute error.

The arrays may be memory-mapped and larger than memory: they are read in parts and summed in float64.
"""

from collections.abc import Iterator

import numpy as np

ROWS = 1024  # at a time: of 2,048 features, 17 MB in float64


def compare(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    """{"r2", "mse", "mae"} of features (N, D) each, image for image; unrounded.

    R² is scikit-learn's r2_score with uniform_average: 1 - residual / total sum of squares of each feature, mean over
    features. A feature that is constant in the teacher counts 1 where the student equals it, else 0. For fewer than two
    images R² is not a number. Raises ValueError for arrays of different shapes or without rows.
    """
    if student.shape != teacher.shape or not len(teacher):
        raise ValueError(f"features are compared image for image, got {student.shape} and {teacher.shape}")
    means = column_means(teacher)
    residual, total, absolute = np.zeros((3, teacher.shape[1]))
    for rows in parts(len(teacher)):
        wanted = teacher[rows].astype(np.float64)
        errors = wanted - student[rows]
        residual += np.square(errors).sum(0)
        absolute += np.abs(errors).sum(0)
        total += np.square(wanted - means).sum(0)
    r2 = r2_per_feature(residual, total).mean() if len(teacher) > 1 else np.nan
    return {"r2": float(r2), "mse": float(residual.sum() / teacher.size), "mae": float(absolute.sum() / teacher.size)}


def r2_per_feature(residual: np.ndarray, total: np.ndarray) -> np.ndarray:
    """1 - residual / total of each feature (D,); for a constant feature 1 without residual, else 0."""
    constant = total == 0
    shares = residual / np.where(constant, 1, total)
    return 1 - np.where(constant, residual != 0, shares)


def column_means(values: np.ndarray) -> np.ndarray:
    """Mean of each column of (N, D), relative to the first row, so that the mean of a constant column is exact."""
    first = values[0].astype(np.float64)
    sums = np.zeros_like(first)
    for rows in parts(len(values)):
        sums += (values[rows] - first).sum(0)
    return np.asarray(first + sums / len(values))


def parts(rows: int) -> Iterator[slice]:
    for start in range(0, rows, ROWS):
        yield slice(start, start + ROWS)
