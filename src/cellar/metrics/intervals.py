"""Intervals: 95 %, two-sided. Rates in percent, differences in percentage points.

SciPy is imported where it is used: planning imports the tables, and must not wait for it. Of it only the function behind
Student's t: scipy.stats takes half a second to import.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)

Interval = tuple[float, float]


def wilson(hits: int, n: int) -> Interval:
    """Wilson's score interval of hits / n, in percent (as scipy.stats.binomtest has it, no continuity correction)."""
    p = hits / n
    centre = (2 * n * p + Z**2) / (2 * (n + Z**2))
    half = Z / (2 * (n + Z**2)) * sqrt(4 * n * p * (1 - p) + Z**2)
    return 0.0 if hits == 0 else (centre - half) * 100, 100.0 if hits == n else (centre + half) * 100


def spread(values: Sequence[float], ddof: int = 1) -> float | None:
    """Standard deviation: ddof 1 divides by n - 1 (of a sample), ddof 0 by n (of a population). None for one value."""
    return float(np.std(values, ddof=ddof)) if len(values) > 1 else None


def student(values: Sequence[float]) -> Interval:
    """Student's t interval of the mean: mean ± t(0.975, n - 1) · sd / √n. Meant for 3 values or more."""
    from scipy.special import stdtrit

    n = len(values)
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * float(np.std(values, ddof=1)) / sqrt(n)
    mean = float(np.mean(values))
    return mean - half, mean + half


def paired_seeds(values: Sequence[float], others: Sequence[float]) -> tuple[float, Interval]:
    """Mean of values[i] - others[i] over seeds, and its Student's t interval (a paired t)."""
    differences = [a - b for a, b in zip(values, others, strict=True)]
    return float(np.mean(differences)), student(differences)


def paired_images(hits: np.ndarray, others: np.ndarray) -> tuple[float, Interval]:
    """Difference of two accuracies on the same images, in points. Both bool: was the image named rightly.

    (N,), or (seeds, N): then an image counts by its mean over seeds, for seeds add no images. With b images where only
    the first is right and c where only the second is, the difference is (b - c) / N. The interval is the normal
    approximation for paired proportions after adding 1/2 to each cell of the 2 x 2 table (Agresti and Min, 2005),
    which does not collapse when b = c = 0; sums of d and d² over images stand for b - c and b + c.
    """
    if hits.shape != others.shape:
        raise ValueError(f"paired_images needs the same images, found {hits.shape[-1]} and {others.shape[-1]}")
    d = np.atleast_2d(hits).mean(axis=0) - np.atleast_2d(others).mean(axis=0)  # (N,)
    n, total, squares = len(d), float(d.sum()), float((d**2).sum())
    centre = total / (n + 2)
    half = Z * sqrt(squares + 1 - total**2 / (n + 2)) / (n + 2)
    return total / n * 100, ((centre - half) * 100, (centre + half) * 100)
