"""Shares and agreement, against values by hand."""

import numpy as np
import pytest

from cellar.deployment.timeline import figures
from cellar.deployment.timeline.events import Event
from cellar.deployment.timeline.series import Moment

from .lines import of


def test_shares_are_of_the_frames_with_a_face_within_the_task() -> None:
    line = of(0, 0, 1, None, 1, 2)
    shares, seconds = figures.shares(line, np.array([0, 0, 1, -1, 1, 2]), 0.5, 2.5)
    assert {share.label: share.percent for share in shares} == pytest.approx({"glad": 100 / 3, "sad": 200 / 3, "none of these": 0})  # fmt: skip
    assert seconds == pytest.approx(1.5) and all(share.interval is None for share in shares)  # one block
    assert figures.shares(line, np.array([0, 0, 1, -1, 1, 2]), 50, 60) == ([], 0.0)


def test_a_task_that_lasts_longer_than_the_recording_ends_with_it() -> None:
    _, seconds = figures.shares(of(0, 0, 1, None), np.array([0, 0, 1, -1]), 0, 100)  # 2 s
    assert seconds == pytest.approx(1.5)


def test_an_interval_knows_that_neighbouring_frames_are_alike() -> None:
    """Ten blocks, each of one class, are ten draws: Wilson's for 5 of 10 is 24 to 76; of 400 frames it would be 45 to
    55."""
    labels = np.repeat(np.arange(10) % 2, 40)
    line = of(*labels.tolist(), step=0.05)
    ((glad, _, none), _) = figures.shares(line, labels, 0, 20)
    assert glad.percent == 50 and glad.interval is not None
    assert glad.interval[0] == pytest.approx(20, abs=8) and glad.interval[1] == pytest.approx(80, abs=8)
    assert none.percent == 0 and none.interval == pytest.approx((0, 27.75), abs=0.01)  # Wilson's of 0 of 10
    assert figures.shares(line, labels, 0, 20)[0][0] == glad  # the same every time


def test_each_moment_matches_one_annotation_of_its_class_within_the_window() -> None:
    moments = [Moment(0, time, label, 1.0) for time, label in ((1, "glad"), (2, "glad"), (5, "sad"), (9, "sad"), (9, "none of these"))]  # fmt: skip
    annotated = [Event(1.5, "a", None, "glad"), Event(6.5, "b", 8, "sad"), Event(30, "c", None, "sad")]
    found = figures.agreement(moments, annotated, window=1.0)
    assert (found.matched, found.found, found.annotated) == (2, 4, 3)  # one glad; sad at 9 is within 1 s of 8
    assert found.precision is not None and found.precision[0] == 50 and found.recall[0] == pytest.approx(200 / 3)
    none = figures.agreement([], annotated, 1.0)
    assert none.precision is None and none.recall[0] == 0
