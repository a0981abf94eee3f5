"""Where the faces are: YuNet (Wu, Peng and Yu, 2023), run by OpenCV. Chosen by benchmarks/faces.py (docs/using.md)."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

MODEL = Path(__file__).with_name("face_detection_yunet_2023mar.onnx")
CONFIDENCE = 0.7  # the least that counts as a face: at 0.6, twice as many false alarms; at 0.8, small faces are missed
OVERLAP = 0.3  # of two boxes that overlap by more, the surer one is kept
MOST = 200  # faces of one image
LONGEST, SHORTEST = 640, 160  # pixels of the longer side in which faces are looked for


@dataclass(frozen=True)
class Face:
    """A box in pixels of the image, which it may leave at the edge, and the detector's confidence from 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    confidence: float


class Detector:
    """`longest`: larger images are reduced to this many pixels on the longer side: less time, but a face needs about 10
    pixels of what is left."""

    def __init__(self, threads: int = 2, longest: int = LONGEST) -> None:
        cv2.setNumThreads(threads)
        quiet()
        self.longest = longest
        self.network = cv2.FaceDetectorYN.create(str(MODEL), "", (longest, longest), CONFIDENCE, OVERLAP, MOST)

    def find(self, image: np.ndarray) -> list[Face]:
        """The faces in an image uint8 (H, W, 3), blue first as OpenCV has it, from left to right."""
        scale = scale_of(max(image.shape[:2]), self.longest)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
        self.network.setInputSize((seen.shape[1], seen.shape[0]))
        _, found = self.network.detect(seen)
        rows = [] if found is None else found
        return sorted((face_of(row, scale) for row in rows), key=lambda face: (face.x, face.y))


def face_of(row: np.ndarray, scale: float) -> Face:
    """From what YuNet gives for a face in an image that was resized by `scale`: box, five landmarks, confidence
    (15,)."""
    x, y, width, height = (float(value) / scale for value in row[:4])
    return Face(x, y, width, height, float(row[14]))


def scale_of(side: int, longest: int) -> float:
    """By which an image with this longer side is resized: photographs down, thumbnails up."""
    return longest / side if side > longest else max(1.0, SHORTEST / side)


def quiet() -> None:
    """OpenCV's and FFmpeg's notes on their inner workings are not for our users, who get an error or a note of ours."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logging = getattr(getattr(cv2, "utils", None), "logging", None)
    if logging:
        logging.setLogLevel(logging.LOG_LEVEL_ERROR)


def crop(image: np.ndarray, face: Face) -> np.ndarray:
    """The square around a face, red first, (S, S, 3): what a student takes; beyond the image's edge, its outermost
    pixels.

    Its side is the longer one of the box: so FER2013's images lie around the boxes that YuNet finds in them (median
    1.00, benchmarks/faces.py).
    """
    side = max(1, round(max(face.width, face.height)))
    left, top = round(face.x + (face.width - side) / 2), round(face.y + (face.height - side) / 2)
    rows, columns = (
        np.clip(np.arange(first, first + side), 0, most - 1)
        for first, most in zip((top, left), image.shape[:2], strict=True)
    )
    return np.ascontiguousarray(image[rows][:, columns, ::-1])
