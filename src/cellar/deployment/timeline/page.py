"""The page: one HTML file that loads nothing from elsewhere."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np

from cellar.deployment.export.description import Description
from cellar.deployment.timeline import figures
from cellar.deployment.timeline.events import Event
from cellar.deployment.timeline.figures import Agreement, Share
from cellar.deployment.timeline.series import Moment, Series

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1000, 100  # of a strip, in its own units
POINTS = 1000  # along a strip; more frames share a point
PICTURE_WIDTH, QUALITY = 320, 80  # pixels, JPEG
TICKS = 5


@dataclass(frozen=True)
class Shown:
    """`smooth` (T, C), `moments`: of the series; `smoothing`, `window` in seconds."""

    video: str
    student: Description
    series: Series
    smooth: np.ndarray
    moments: list[Moment]
    events: list[Event]
    smoothing: float
    window: float

    @property
    def tasks(self) -> list[Event]:
        whole = Event(0.0, "The whole recording", self.series.length)
        return [whole, *(event for event in self.events if event.end is not None)]

    @property
    def single(self) -> list[Event]:
        return [event for event in self.events if event.end is None]

    @property
    def agreement(self) -> Agreement | None:
        annotated = [event for event in self.events if event.label]
        return figures.agreement(self.moments, annotated, self.window) if annotated else None


@dataclass(frozen=True)
class Strip:
    """One class: paths of the raw values' range and of the smoothed ones."""

    label: str
    raw: str
    smooth: str
    mean: float


def text(shown: Shown, peaks: Sequence[tuple[Moment, np.ndarray]], table: str) -> str:
    """`peaks`: moments with their frames, uint8 (H, W, 3), blue first; `table`: the CSV."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "percent": "{:.0f} %".format, "range": of_interval}
    series = shown.series
    values = {
        "shown": shown,
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "length": series.length,
        "seen": float(series.seen.mean()) * 100,
        "strips": list(strips(series, shown.smooth)),
        "marks": [mark(event, series.length) for event in shown.events],
        "ticks": [series.length * place / (TICKS - 1) for place in range(TICKS)],
        "peaks": [(moment, as_jpeg(picture)) for moment, picture in peaks],
        "tasks": [(task, *of_task(shown, task)) for task in shown.tasks],
        "events": [(event, at(shown, event.start)) for event in shown.single],
        "csv": base64.b64encode(table.encode()).decode(),
        "block": figures.BLOCK,
    }
    return environment.get_template("page.html.j2").render(values)


def strips(series: Series, smooth: np.ndarray) -> Iterator[Strip]:
    """A point is of the frames with a face among those that share it, and empty if they have none."""
    frames = len(series.times)
    points = min(POINTS, frames)
    place = np.arange(frames) * points // frames  # from 0 to points - 1, each at least once
    x = np.bincount(place, series.times) / np.bincount(place) / series.length * WIDTH
    filled, first, faces = np.unique(place[series.seen], return_index=True, return_counts=True)
    low, high, mean = np.full((3, points), np.nan)
    for number, label in enumerate(series.classes):
        raw = series.raw[series.seen, number]
        low[filled], high[filled] = np.minimum.reduceat(raw, first), np.maximum.reduceat(raw, first)
        mean[filled] = np.add.reduceat(smooth[series.seen, number], first) / faces
        yield Strip(label, outline(x, low, high), line(x, mean), float(raw.mean()))


def line(x: np.ndarray, y: np.ndarray) -> str:
    """An SVG path through points, y from 0 to 1; broken where y is NaN."""
    words, pen = [], "M"
    for across, value in zip(x, y, strict=True):
        if np.isnan(value):
            pen = "M"
        else:
            words.append(f"{pen}{across:.1f} {(1 - value) * HEIGHT:.1f}")
            pen = "L"
    return "".join(words)


def outline(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    """SVG paths around what lies between two lines, for each stretch without NaN."""
    gaps = np.flatnonzero(np.isnan(low))
    parts = np.split(np.arange(len(x)), gaps)
    words = []
    for part in ([row for row in part if not np.isnan(low[row])] for part in parts):
        if part:
            words.append(line(np.r_[x[part], x[part][::-1]], np.r_[high[part], low[part][::-1]]) + "Z")
    return "".join(words)


def mark(event: Event, length: float) -> dict[str, Any]:
    """Where an event stands, in percent of the length."""
    end = event.start if event.end is None else event.end
    left, right = (min(100.0, time / length * 100) for time in (event.start, end))
    return {"event": event, "left": left, "width": right - left}


def of_task(shown: Shown, task: Event) -> tuple[list[Share], float]:
    top = np.where(shown.series.seen, np.nan_to_num(shown.smooth).argmax(1), -1)
    found, seconds = figures.shares(shown.series, top, task.start, task.end or task.start)
    return sorted(found, key=lambda share: -share.percent), seconds


def at(shown: Shown, time: float) -> list[tuple[str, float]]:
    """The most probable classes at a time, smoothed; none where no face is, or after the end."""
    row = int(np.abs(shown.series.times - time).argmin())
    if time > shown.series.length or not shown.series.seen[row]:
        return []
    order = np.argsort(-shown.smooth[row])[:3]
    return [(shown.series.classes[one], float(shown.smooth[row, one])) for one in order]


def as_jpeg(picture: np.ndarray) -> str:
    """As base64, PICTURE_WIDTH wide at most."""
    scale = min(1.0, PICTURE_WIDTH / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return base64.b64encode(content.tobytes()).decode()


def clock(seconds: float) -> str:
    """1:02.5, and 1:00:02.5 from an hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def of_interval(interval: tuple[float, float] | None) -> str:
    return f"{interval[0]:.0f}–{interval[1]:.0f} %" if interval else ""
