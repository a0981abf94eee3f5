"""Smoothing and moments, against values by hand."""

import numpy as np

from cellar.deployment.timeline import series
from cellar.deployment.timeline.series import Moment

from .lines import CLASSES, of


def test_smoothing_is_the_mean_of_the_faces_within_the_window() -> None:
    found = series.smoothed(of(0, 1, None, 1, 0), window=1.0)
    assert found[:, 1].tolist()[:2] == [0.5, 0.5]  # of frames 0 and 1; the third has no face
    assert np.isnan(found[2]).all() and found[3].tolist() == [0.5, 0.5, 0.0]
    assert np.array_equal(series.smoothed(of(0, 1, None), window=0), of(0, 1, None).raw, equal_nan=True)


def test_a_moment_is_the_peak_of_a_stretch_that_lasts() -> None:
    smooth = np.array([[0.6, 0.4, 0], [0.9, 0.1, 0], [0.2, 0.8, 0], [0.7, 0.3, 0], [0.5, 0.5, 0]])
    line = of(0, 0, 1, 0, 0)
    found = series.moments(line, smooth)
    assert found == [Moment(1, 0.5, "glad", 0.9), Moment(3, 1.5, "glad", 0.7)]  # sad is alone, for no time
    assert series.peaks(found, CLASSES, most=5) == [found[0]]


def test_nothing_is_a_moment_without_a_face() -> None:
    assert series.moments(of(None, None, None), of(None, None, None).raw) == []
