"""What the page says in numbers: shares of the classes in each task, and how far moments agree with annotations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cellar.deployment.timeline.events import Event
from cellar.deployment.timeline.series import Moment, Series
from cellar.metrics.intervals import Interval, wilson

BLOCK = 2.0  # seconds that are drawn together: neighbouring frames show the same face
FEWEST_BLOCKS = 5  # in a task for which an interval is given
DRAWS, SEED = 2000, 0


@dataclass(frozen=True)
class Share:
    """Of the frames with a face in a task, those in which a class is the most probable one; in percent."""

    label: str
    percent: float
    interval: Interval | None


def shares(series: Series, top: np.ndarray, start: float, end: float) -> tuple[list[Share], float]:
    """The shares of all classes between two times, and the seconds with a face. `top`: the most probable class (T,), -1
    where no face is. Intervals: 95 %, by a bootstrap of blocks of BLOCK seconds, since frames are not independent."""
    end = min(end, series.length)  # a task may be said to last longer than the recording
    inside = (series.times >= start) & (series.times < end)
    labels, times = top[inside & series.seen], series.times[inside & series.seen]
    seconds = float(inside.sum() and (inside & series.seen).sum() / inside.sum() * (end - start))
    if not len(labels):
        return [], 0.0
    block = ((times - start) // BLOCK).astype(int)
    kinds = len(series.classes)
    counts = np.zeros((block.max() + 1, kinds))
    np.add.at(counts, (block, labels), 1)
    counts = counts[counts.sum(axis=1) > 0]  # (blocks, C)
    mean = counts.sum(axis=0) / len(labels)
    bounds = bootstrap(counts) if len(counts) >= FEWEST_BLOCKS else [None] * kinds
    found = [
        Share(name, float(share) * 100, bound) for name, share, bound in zip(series.classes, mean, bounds, strict=True)
    ]
    return found, seconds


def bootstrap(counts: np.ndarray) -> list[Interval | None]:
    """Percentile intervals of the shares, of blocks (B, C) drawn with replacement. Where all blocks agree, draws do too:
    then Wilson's of so many blocks."""
    drawn = np.random.default_rng(SEED).integers(0, len(counts), (DRAWS, len(counts)))
    sums = counts[drawn].sum(axis=1)  # (DRAWS, C)
    low, high = np.percentile(sums / sums.sum(axis=1, keepdims=True) * 100, [2.5, 97.5], axis=0)
    bounds = list(zip(low.tolist(), high.tolist(), strict=True))
    share = counts.sum(axis=0) / counts.sum()
    return [wilson(round(p) * len(counts), len(counts)) if p in (0, 1) else bounds[i] for i, p in enumerate(share)]


@dataclass(frozen=True)
class Agreement:
    """Moments of the classes that are annotated. Precision: matched of found; recall: matched of annotated."""

    matched: int
    found: int
    annotated: int

    @property
    def precision(self) -> tuple[float, Interval] | None:
        return (self.matched / self.found * 100, wilson(self.matched, self.found)) if self.found else None

    @property
    def recall(self) -> tuple[float, Interval]:
        return self.matched / self.annotated * 100, wilson(self.matched, self.annotated)


def agreement(moments: Sequence[Moment], annotated: Sequence[Event], window: float) -> Agreement:
    """A moment matches an annotation of its class at most `window` seconds from it (of a task: from within it); each
    matches one at most, the nearest first."""
    labels = {event.label for event in annotated}
    found = [moment for moment in moments if moment.label in labels]
    pairs = sorted(
        (distance(moment.time, event), i, j)
        for i, moment in enumerate(found)
        for j, event in enumerate(annotated)
        if moment.label == event.label and distance(moment.time, event) <= window
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, i, j in pairs:
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return Agreement(len(taken[0]), len(found), len(annotated))


def distance(time: float, event: Event) -> float:
    """Seconds outside an event."""
    return max(event.start - time, time - (event.start if event.end is None else event.end), 0.0)
