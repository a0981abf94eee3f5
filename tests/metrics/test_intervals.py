"""Intervals against published examples and against the formulas, worked by hand."""

import numpy as np
import pytest

from cellar.metrics import intervals


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 25.53, 36.62), (15, 148, 6.24, 16.05), (0, 20, 0.0, 16.11), (1, 29, 0.61, 17.18)],
)
def test_wilson_gives_the_published_intervals(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    assert intervals.wilson(hits, n) == pytest.approx((low, high), abs=0.005)


def test_wilson_mirrors() -> None:
    low, high = intervals.wilson(30, 40)
    assert intervals.wilson(10, 40) == pytest.approx((100 - high, 100 - low))


def test_spread_divides_by_n_minus_one() -> None:
    assert intervals.spread([50, 55, 60]) == pytest.approx(5)
    assert intervals.spread([50, 60]) == pytest.approx(7.0710678)


def test_spread_of_a_population_divides_by_n() -> None:
    """25 + 0 + 25 over 3."""
    assert intervals.spread([50, 55, 60], ddof=0) == pytest.approx(4.0824829)


def test_one_value_has_no_spread() -> None:
    assert intervals.spread([50]) is None
    assert intervals.spread([50], ddof=0) is None


def test_student_of_three_values() -> None:
    """t(0.975, 2) = 4.302653; half = 4.302653 * 1 / sqrt(3) = 2.484138."""
    assert intervals.student([1, 2, 3]) == pytest.approx((-0.484138, 4.484138), abs=1e-6)


def test_student_of_five_values() -> None:
    """t(0.975, 4) = 2.776445; sd = sqrt(2.5); half = 2.776445 * sqrt(0.5) = 1.963243."""
    assert intervals.student([5, 4, 3, 2, 1]) == pytest.approx((1.036757, 4.963243), abs=1e-6)


def test_seeds_are_compared_in_pairs() -> None:
    """Differences 2.5, 5, 0: mean 2.5, sd 2.5, half 4.302653 * 2.5 / sqrt(3); unpaired it would be wider."""
    mean, interval = intervals.paired_seeds([50, 55, 60], [47.5, 50, 60])
    assert mean == pytest.approx(2.5)
    assert interval == pytest.approx((-3.710345, 8.710345), abs=1e-5)


def test_seeds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        intervals.paired_seeds([1, 2, 3], [1, 2])


@pytest.mark.parametrize("values", [[50.0, 55.0, 60.5], [53.1, 53.7, 54.6, 53.9, 52.8]])
def test_scipy_agrees_on_one_sample_and_on_pairs(values: list[float]) -> None:
    from scipy import stats

    others = [value - 0.3 * i**2 for i, value in enumerate(values)]
    one = stats.ttest_1samp(values, 0).confidence_interval(intervals.LEVEL)
    two = stats.ttest_rel(values, others).confidence_interval(intervals.LEVEL)
    assert intervals.student(values) == pytest.approx((one.low, one.high))
    assert intervals.paired_seeds(values, others)[1] == pytest.approx((two.low, two.high))


def test_seeds_add_no_images() -> None:
    """Two seeds that name the same images rightly say what one says; two that differ by half an image, half as much."""
    one, other = hits([0, 1, 2, 9], 10), hits([3, 9], 10)
    twice = (np.stack([one, one]), np.stack([other, other]))
    assert intervals.paired_images(*twice) == intervals.paired_images(one, other)
    mean, _ = intervals.paired_images(np.stack([one, other]), np.stack([other, other]))
    assert mean == pytest.approx(10)


def hits(right: list[int], n: int) -> np.ndarray:
    return np.isin(np.arange(n), right)


def test_images_are_compared_in_pairs() -> None:
    """b = 3, c = 1, n = 10: 20 points; 2/12 ± 1.959964 * sqrt(5 - 4/12) / 12."""
    mean, interval = intervals.paired_images(hits([0, 1, 2, 9], 10), hits([3, 9], 10))
    assert mean == pytest.approx(20)
    assert interval == pytest.approx((-18.616717, 51.950050), abs=1e-4)


def test_the_other_way_round_changes_the_sign() -> None:
    one, other = hits([0, 1, 2, 9], 10), hits([3, 9], 10)
    mean, (low, high) = intervals.paired_images(one, other)
    assert intervals.paired_images(other, one) == (-mean, pytest.approx((-high, -low)))


def test_images_that_agree_still_leave_doubt() -> None:
    """b = c = 0, n = 100: half = 1.959964 / 102."""
    same = hits([1, 5], 100)
    mean, interval = intervals.paired_images(same, same)
    assert mean == 0
    assert interval == pytest.approx((-1.921533, 1.921533), abs=1e-6)


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="found 10 and 11"):
        intervals.paired_images(hits([], 10), hits([], 11))


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (1, 3), (34, 71), (3017, 3589), (1, 8000)])
def test_wilson_is_scipy_s(hits: int, n: int) -> None:
    from scipy import stats

    low, high = stats.binomtest(hits, n).proportion_ci(intervals.LEVEL, method="wilson")
    assert intervals.wilson(hits, n) == pytest.approx((low * 100, high * 100), rel=1e-13)
    assert pytest.approx(stats.norm.ppf((1 + intervals.LEVEL) / 2), rel=1e-14) == intervals.Z
