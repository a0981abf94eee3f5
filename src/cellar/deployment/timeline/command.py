"""A video and a student -> a page that shows the probabilities over time, and the same as a CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cellar import files
from cellar.deployment import frames, outputs
from cellar.deployment.frames import Source
from cellar.deployment.prediction import Found, Predictor
from cellar.deployment.timeline import events as reading
from cellar.deployment.timeline import page
from cellar.deployment.timeline.series import Moment, Series, moments, peaks, smoothed
from cellar.errors import CellarError

MOST_PEAKS = 12


def run(
    video: str, model: str, events: str | None, output: str | None, smoothing: float, window: float, threads: int
) -> int:
    """Write the page and the CSV beside it; print where. Raises CellarError, and writes nothing, for a file that is not
    what it should be, and for a video in which no face was found."""
    target = Path(output or f"{Path(video).stem}.timeline.html")
    beside = target.parent / f"{target.stem}.csv"
    outputs.check([target, beside], [Path(read) for read in (video, model, events) if read])
    predictor = Predictor(Path(model), threads)
    source = only_video(video)
    marked = reading.read(Path(events), predictor.classes) if events else []
    series = watch(predictor, source)
    smooth = smoothed(series, smoothing)
    found = moments(series, smooth)
    shown = peaks(found, series.classes, MOST_PEAKS)
    table = as_csv(series, smooth)
    seen = page.Shown(Path(video).name, predictor.student.description, series, smooth, found, marked, smoothing, window)
    html = page.text(seen, list(zip(shown, pictures(source, series, shown), strict=True)), table)
    files.write_text(beside, table)
    files.write_text(target, html)
    print(f"{target}, {beside}: {len(found)} moments in {page.clock(series.length)}")
    return 0


def only_video(path: str) -> Source:
    found = frames.sources([path])
    if len(found) != 1 or not found[0].is_video or found[0].camera is not None:
        raise CellarError(f"{path} is not one video file; give one (images: cellar predict)")
    return found[0]


def watch(predictor: Predictor, source: Source) -> Series:
    """The largest face of each frame: a usability test shows one person."""
    times, numbers, rows = [], [], []
    nothing = np.full(len(predictor.classes), np.nan, np.float32)
    for frame in tqdm(source.read(), total=source.frames, unit="frame", disable=None):
        largest = max(predictor.find(frame.image), key=area, default=None)
        times.append(frame.time or 0.0)
        numbers.append(frame.number)
        rows.append(nothing if largest is None else largest.probabilities)
    series = Series(predictor.classes, np.array(times), np.array(numbers), np.array(rows, np.float64))
    if not series.seen.any():
        raise CellarError(f"{source.name} has no face in any of its {len(rows)} frames; give another video")
    return series


def area(found: Found) -> float:
    return found.face.width * found.face.height


def pictures(source: Source, series: Series, shown: Sequence[Moment]) -> list[np.ndarray]:
    """The frames of these moments, read again: a video's frames do not all fit into memory."""
    wanted = {int(series.frames[moment.row]): place for place, moment in enumerate(shown)}
    kept: dict[int, np.ndarray] = {}
    for frame in source.read():
        if frame.number in wanted:
            kept[wanted[frame.number]] = frame.image
        if len(kept) == len(wanted):
            break
    return [kept[place] for place in range(len(shown))]


def as_csv(series: Series, smooth: np.ndarray) -> str:
    """A line a frame: time, raw and smoothed probabilities; empty where no face is."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(
        ["time", "frame", *(f"p_{name}" for name in series.classes), *(f"smoothed_{name}" for name in series.classes)]
    )
    for time, number, *values in zip(series.times, series.frames, series.raw, smooth, strict=True):
        written = ["" if np.isnan(value) else f"{value:.4f}" for part in values for value in part]
        write([f"{time:.3f}", number, *written])
    return text.getvalue()
