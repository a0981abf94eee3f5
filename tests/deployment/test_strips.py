"""The curves of a timeline's page, from series by hand."""

import re

import numpy as np
import pytest

from .timeline.lines import CLASSES


def strip(raw: np.ndarray, smooth: np.ndarray) -> tuple[list[tuple[float, float]], int]:
    """Points of the first class's line, (time from 0 to 1, value), and how many pieces it is in."""
    from cellar.deployment.timeline.page import strips
    from cellar.deployment.timeline.series import Series

    frames = np.arange(len(raw))
    (first, *_) = strips(Series(CLASSES, frames / 20, frames, raw), smooth)
    found = re.findall(r"[ML]([0-9.]+) ([0-9.]+)", first.smooth)
    return [(float(x) / 1000, 1 - float(y) / 100) for x, y in found], first.smooth.count("M")


def test_frames_without_a_face_leave_the_curve_of_a_long_video_whole() -> None:
    """75 minutes of video, of which the detector misses every twentieth frame: 90 frames share a point."""
    raw = np.tile([0.5, 0.3, 0.2], (90_000, 1))
    raw[::2, 0], raw[::20] = 0.7, np.nan
    points, pieces = strip(raw, raw)
    assert (len(points), pieces) == (1000, 1)
    assert [value for _, value in points] == pytest.approx([np.nanmean(raw[:, 0])] * 1000, abs=0.01)
    assert [x for x, _ in points] == pytest.approx(np.linspace(0, 1, 1000), abs=2e-3)


def test_a_stretch_without_a_face_stays_empty() -> None:
    raw = np.tile([0.5, 0.3, 0.2], (4000, 1))
    raw[1000:2000] = np.nan
    points, pieces = strip(raw, raw)
    assert (len(points), pieces) == (750, 2)
    assert not [x for x, _ in points if 0.251 < x < 0.499]


def test_each_frame_of_a_short_video_is_a_point() -> None:
    raw = np.array([[0.1, 0.5, 0.4], [np.nan] * 3, [0.9, 0.1, 0], [0.8, 0.1, 0.1]])
    points, pieces = strip(raw, raw)
    assert [value for _, value in points] == pytest.approx([0.1, 0.9, 0.8]) and pieces == 2


def test_a_short_video_with_a_face_all_along_is_one_curve() -> None:
    raw = np.tile([0.5, 0.3, 0.2], (200, 1))
    points, pieces = strip(raw, raw)
    assert (len(points), pieces) == (200, 1)
