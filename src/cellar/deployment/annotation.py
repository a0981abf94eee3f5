"""Pictures with boxes and predictions drawn in: PNG for images, MP4 for video."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from cellar.deployment.frames import Frame, Source
from cellar.deployment.prediction import Found
from cellar.errors import CellarError

COLOUR, INK = (60, 200, 90), (0, 0, 0)  # blue first
RATE = 25.0  # frames a second where the source does not say


class Annotator:
    """Writes beside `folder`, and moves the pictures into it when all are complete; an error leaves none."""

    def __init__(self, folder: Path, classes: Sequence[str], sources: Sequence[Source]) -> None:
        self.folder, self.classes, self.names = folder, classes, names_of(sources)
        self.temporary = folder.parent / f".{folder.name}.{os.getpid()}"
        self.source: Source | None = None
        self.writer: Any = None
        self.target = Path()
        self.written = 0  # frames of the video that is open

    @property
    def pictures(self) -> list[Path]:
        """What will be in the folder."""
        return [self.folder / name for name in self.names.values()]

    def __enter__(self) -> Self:
        try:
            self.temporary.mkdir(parents=True)
        except OSError:
            raise failure(self.folder) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.end_video()
                self.folder.mkdir(exist_ok=True)
                for picture in list(self.temporary.iterdir()):
                    os.replace(picture, self.folder / picture.name)
        except OSError:
            raise failure(self.folder) from None
        finally:
            self.writer = None  # closes what an error left open
            shutil.rmtree(self.temporary)

    def add(self, source: Source, frame: Frame, found: Sequence[Found]) -> None:
        if source is not self.source:
            self.end_video()
            self.source, self.target = source, self.temporary / self.names[source]
        image = drawn(frame.image, found, self.classes)
        if source.is_video:
            self.write_frame(image, source.rate or RATE)
        elif not cv2.imwrite(str(self.target), image):
            raise failure(self.folder / self.target.name)

    def write_frame(self, image: np.ndarray, rate: float) -> None:
        height, width = (side + side % 2 for side in image.shape[:2])  # the codec takes even sides only
        image = cv2.copyMakeBorder(image, 0, height - image.shape[0], 0, width - image.shape[1], cv2.BORDER_REPLICATE)
        if self.writer is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self.writer = cv2.VideoWriter(str(self.target), code, rate, (width, height))
            self.written = 0
            if not self.writer.isOpened():
                raise failure(self.folder / self.target.name)
        self.writer.write(image)
        self.written += 1

    def end_video(self) -> None:
        """Raises CellarError for a video that is not whole: of a disk that is full, OpenCV says nothing."""
        if self.writer is None:
            return
        self.writer.release()
        self.writer = None
        there = cv2.VideoCapture(str(self.target)).get(cv2.CAP_PROP_FRAME_COUNT)  # -1 if it does not open
        if there < self.written:  # one more may be there: Ctrl-C can come before it is counted
            raise failure(self.folder / self.target.name)


def failure(path: Path) -> CellarError:
    return CellarError(f"cannot write {path}; free space or mend the folder, then run again")


def names_of(sources: Sequence[Source]) -> dict[Source, str]:
    """Of the pictures: the file's own name; of several with one name, the later ones get a number."""
    names: dict[str, Source] = {}
    for source in sources:
        stem = f"camera{source.name}" if source.camera is not None else Path(source.name).stem
        suffix = ".mp4" if source.is_video else ".png"
        name, number = f"{stem}{suffix}", 2
        while name in names:
            name, number = f"{stem}_{number}{suffix}", number + 1
        names[name] = source
    return {source: name for name, source in names.items()}


def drawn(image: np.ndarray, found: Sequence[Found], classes: Sequence[str]) -> np.ndarray:
    """A copy with a box around each face, and its most probable class above."""
    picture = image.copy()
    size = max(0.4, max(image.shape[:2]) / 1600)
    for one in found:
        face, best = one.face, int(one.probabilities.argmax())
        corner = round(face.x), round(face.y)
        cv2.rectangle(picture, corner, (round(face.x + face.width), round(face.y + face.height)), COLOUR, 2)
        words = f"{classes[best]} {one.probabilities[best]:.0%}"
        (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        left, top = max(0, min(corner[0], image.shape[1] - width)), max(height + 4, corner[1])
        cv2.rectangle(picture, (left, top - height - 4), (left + width, top), COLOUR, cv2.FILLED)
        cv2.putText(picture, words, (left, top - 3), cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)
    return picture
