"""`cellar predict`: the faces in images and video, and what a student says of each, as a CSV."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cellar import files
from cellar.deployment import frames, outputs
from cellar.deployment.export.session import Student
from cellar.deployment.faces.detector import Detector, Face, crop
from cellar.deployment.frames import Frame, Source
from cellar.errors import count

NO_FACE = "none"
HEAD = ("file", "time", "frame", "face", "x", "y", "width", "height", "confidence", "predicted")


@dataclass(frozen=True)
class Found:
    """A face with its probabilities (C,)."""

    face: Face
    probabilities: np.ndarray


class Predictor:
    """A student and the detector that finds it faces."""

    def __init__(self, model: Path, threads: int = 2) -> None:
        self.student, self.detector = Student(model), Detector(threads)
        self.classes = self.student.description.classes

    def find(self, image: np.ndarray) -> list[Found]:
        """The faces of an image uint8 (H, W, 3), blue first, from left to right."""
        faces = self.detector.find(image)
        return [Found(face, self.student.probabilities(crop(image, face)[None])[0]) for face in faces]


def run(model: str, paths: Sequence[str], output: str, annotate: str | None, threads: int) -> int:
    """Write the CSV, and with `annotate` the pictures with boxes; both appear when they are complete. Print what was
    found.

    Raises CellarError, and leaves nothing behind, for a model or a path that is not what it should be.
    """
    from cellar.deployment.annotation import Annotator  # which draws what is found here

    predictor, sources = Predictor(Path(model), threads), frames.sources(paths)
    annotator = Annotator(Path(annotate), predictor.classes, sources) if annotate else None
    pictures = annotator.pictures if annotator else []
    outputs.check([Path(output), *pictures], [Path(model), *(Path(source.name) for source in sources)])
    with ExitStack() as opened:
        temporary = opened.enter_context(files.atomic(Path(output)))
        file = opened.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        if annotator:
            opened.enter_context(annotator)
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*HEAD, *(f"p_{name}" for name in predictor.classes)))
        seen, found = look(predictor, sources, table.writerows, annotator.add if annotator else None)
    print(f"{output}: {count(found, 'face')} in {count(seen, 'picture')}" + (f"; {annotate}" if annotate else ""))
    return 0


def look(
    predictor: Predictor,
    sources: Sequence[Source],
    write: Callable[[list[list[Any]]], Any],
    annotate: Callable[[Source, Frame, list[Found]], None] | None,
) -> tuple[int, int]:
    """(pictures, faces). Ctrl-C ends a camera's recording; of files, it ends the command. A frame's rows are written
    together, so that none is cut off."""
    known = [source.frames for source in sources]
    total = sum(number or 0 for number in known) if None not in known else None
    pictures = faces = 0
    with tqdm(total=total, unit="frame", disable=None) as progress:
        for source in sources:
            try:
                for frame in source.read():
                    found = predictor.find(frame.image)
                    write(list(rows(source.name, frame, found, predictor.classes)))
                    if annotate:
                        annotate(source, frame, found)
                    pictures, faces = pictures + 1, faces + len(found)
                    progress.update()
            except KeyboardInterrupt:
                if source.camera is None:
                    raise
    return pictures, faces


def rows(name: str, frame: Frame, found: Sequence[Found], classes: Sequence[str]) -> Iterator[list[Any]]:
    """One for each face, numbered from 1; one that says so where there is none."""
    head = [name, "" if frame.time is None else f"{frame.time:.3f}", "" if frame.time is None else frame.number]
    if not found:
        yield [*head, NO_FACE, *[""] * (len(HEAD) - len(head) - 1 + len(classes))]
    for number, one in enumerate(found, 1):
        face = one.face
        box = [f"{value:.1f}" for value in (face.x, face.y, face.width, face.height)]
        predicted = classes[int(one.probabilities.argmax())]
        yield [*head, number, *box, f"{face.confidence:.3f}", predicted, *(f"{p:.4f}" for p in one.probabilities)]
