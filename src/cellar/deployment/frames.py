"""Pictures to look at: image files, folders of them, video files, a camera. Frames are uint8 (H, W, 3), blue first."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cellar.data import images
from cellar.deployment.faces.detector import quiet
from cellar.errors import CellarError

MOST_FAILED = 100  # reads in a row, after which a video has ended: a header may claim any number of frames
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mjpeg")


@dataclass(frozen=True)
class Frame:
    """`time` in seconds from the start, None for an image; `number` counts the frames of a video from 0."""

    image: np.ndarray
    time: float | None = None
    number: int = 0


@dataclass(frozen=True, eq=False)  # a file that is named twice is two sources
class Source:
    """`name`: as it is written in the CSV. `frames`: as many as the file says, None where nobody knows."""

    name: str
    is_video: bool
    frames: int | None
    rate: float | None  # frames a second
    camera: int | None = None

    def read(self) -> Iterator[Frame]:
        """Raises CellarError for a file that cannot be read."""
        if not self.is_video:
            picture = images.decode(Path(self.name), images.read(Path(self.name)), "RGB")
            yield Frame(np.ascontiguousarray(np.asarray(picture)[..., ::-1]))
            return
        capture = opened(self)
        try:
            yield from frames_of(capture, self)
        finally:
            capture.release()


def sources(paths: Sequence[str]) -> list[Source]:
    """What the paths name; a number is a camera. Raises CellarError, before anything is read, for a path that is
    missing, a folder without pictures, a file that is neither image nor video, a camera that is not there."""
    quiet()
    return [source for path in paths for source in of_path(path)]


def of_path(path: str) -> Iterator[Source]:
    place = Path(path)
    if path.isdecimal() and not place.exists():
        yield video(path, int(path))
    elif place.is_dir():
        known = [
            file for file in sorted(place.rglob("*")) if kind_of(file) and file.is_file() and is_shown(file, place)
        ]
        if not known:
            raise CellarError(f"{path} has no image or video in it; give another folder")
        for file in known:
            yield from of_path(str(file))
    elif not place.exists():
        raise CellarError(f"{path} does not exist; give an image, a folder, a video, or the number of a camera")
    elif is_image(place):
        yield Source(path, False, 1, None)
    else:
        yield video(path, None)


def is_shown(file: Path, folder: Path) -> bool:
    """Neither the file nor a folder on the way to it is hidden, such as a desktop's .Trash."""
    inside = file.relative_to(folder)
    return not any(images.is_hidden(path) for path in (inside, *inside.parents))


def kind_of(file: Path) -> str | None:
    suffix = file.suffix.lower()
    return "image" if suffix in images.SUFFIXES else "video" if suffix in VIDEOS else None


def is_image(file: Path) -> bool:
    """By its name; a file with another is an image if it is one inside."""
    if kind_of(file):
        return kind_of(file) == "image"
    try:
        images.decode(file, images.read(file), "RGB")
    except CellarError:
        return False
    return True


def video(name: str, camera: int | None) -> Source:
    source = Source(name, True, None, None, camera)
    capture = opened(source)
    try:
        count, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    known = camera is None and 0 < count < 1e9
    return Source(name, True, round(count) if known else None, rate if 0 < rate < 1e4 else None, camera)


def opened(source: Source) -> Any:
    """A cv2.VideoCapture. Raises CellarError where there is nothing to be had from it."""
    capture = cv2.VideoCapture(source.name if source.camera is None else source.camera)
    if not capture.isOpened():
        if source.camera is not None:
            raise CellarError(f"camera {source.name} is not there, or another program has it; give another number")
        raise CellarError(f"{source.name} is neither an image nor a video that can be read; take it out, or convert it")
    check_size(source, round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    return capture


def check_size(source: Source, width: int, height: int) -> None:
    if width * height > images.MAX_PIXELS:
        raise CellarError(
            f"{source.name} has frames of {width}x{height} pixels; the limit is {images.MAX_PIXELS:,}: make them smaller"
        )


def frames_of(capture: Any, source: Source) -> Iterator[Frame]:
    """The frames, upright as the video's own rotation says. A damaged one is left out; how many were is said at the
    end. After the last one every read fails, so a failed read is a damaged frame only if a whole one follows."""
    decoded, damaged, failed, last = 0, 0, 0, -1.0
    while failed < (MOST_FAILED if source.camera is None else 1):
        there, image = capture.read()
        if not there:
            failed += 1
            continue
        check_size(source, image.shape[1], image.shape[0])
        damaged, failed = damaged + failed, 0
        last = stamp_of(capture, source, last)
        yield Frame(image, last, decoded + damaged)
        decoded += 1
    if not decoded and source.camera is None:
        raise CellarError(f"{source.name} has no frame that can be decoded; export it again")
    if damaged:
        total = decoded + damaged
        print(f"note: {source.name}: {damaged} of {total} frames cannot be decoded", file=sys.stderr)


def stamp_of(capture: Any, source: Source, last: float) -> float:
    """Seconds of the frame that was read; where the stream has no time stamps, counted from the one before."""
    stamp = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
    return stamp if stamp > last else last + 1 / (source.rate or 25.0)
