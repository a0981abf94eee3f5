"""The probabilities of one person's face over time, smoothed, and the moments at which a class stands out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SHORTEST = 0.4  # seconds for which a class has to stand out to be a moment


@dataclass(frozen=True)
class Series:
    """times (T,) in seconds, increasing; frames (T,): their numbers; raw (T, C): NaN where no face was found."""

    classes: tuple[str, ...]
    times: np.ndarray
    frames: np.ndarray
    raw: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Whether there is a face: bool (T,)."""
        return np.asarray(~np.isnan(self.raw[:, 0]))

    @property
    def length(self) -> float:
        """Seconds, the last frame's own among them: as long as most, and of a single one, as at 25 frames a second."""
        step = float(np.median(np.diff(self.times))) if len(self.times) > 1 else 1 / 25
        return float(self.times[-1]) + step


@dataclass(frozen=True)
class Moment:
    """The peak of a stretch in which a class is the most probable one; `row`: of the series."""

    row: int
    time: float
    label: str
    probability: float


def smoothed(series: Series, window: float) -> np.ndarray:
    """The mean over the faces within ± window / 2 seconds, (T, C); NaN where no face is."""
    first = np.searchsorted(series.times, series.times - window / 2, side="left")
    last = np.searchsorted(series.times, series.times + window / 2, side="right")
    sums = np.vstack([np.zeros(len(series.classes)), np.nancumsum(series.raw, axis=0)])
    counts = np.concatenate([[0], np.cumsum(series.seen)])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums[last] - sums[first]) / (counts[last] - counts[first])[:, None]
    return np.where(series.seen[:, None], means, np.nan)


def moments(series: Series, smooth: np.ndarray) -> list[Moment]:
    """In the order of time, of stretches that last SHORTEST seconds. `smooth`: what `smoothed` gave."""
    top = np.where(series.seen, np.nan_to_num(smooth).argmax(1), -1)
    found = []
    for first, last in stretches(top):
        if top[first] >= 0 and series.times[last] - series.times[first] >= SHORTEST:
            row = first + int(smooth[first : last + 1, top[first]].argmax())
            label = series.classes[top[first]]
            found.append(Moment(row, float(series.times[row]), label, float(smooth[row, top[first]])))
    return found


def stretches(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last place of every run of equal values (T,)."""
    changes = np.flatnonzero(np.diff(values)) + 1
    yield from zip([0, *changes.tolist()], [*(changes - 1).tolist(), len(values) - 1], strict=True)


def peaks(found: Sequence[Moment], classes: Sequence[str], most: int) -> list[Moment]:
    """The highest moment of each class, at most so many, in the order of time."""
    best = {
        name: max((m for m in found if m.label == name), key=lambda m: m.probability, default=None) for name in classes
    }
    kept = sorted((m for m in best.values() if m), key=lambda m: -m.probability)[:most]
    return sorted(kept, key=lambda m: m.time)
