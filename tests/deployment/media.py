"""Pictures and video with a known face: Eileen Collins, NASA's photograph S93-35430, which is in the public domain."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

PHOTOGRAPH = Path(__file__).with_name(
    "astronaut.jpg"
)  # 256 x 256, the face about 90 x 113 pixels, its middle at (133, 120)
FACE = (133, 120)
RATE = 20.0


def photograph() -> np.ndarray:
    return cv2.imread(str(PHOTOGRAPH))


def scene(*places: tuple[int, int], size: tuple[int, int] = (480, 640)) -> np.ndarray:
    """A plain picture (*size, 3) with the photograph at places (left, top), cut off at the edges."""
    picture, photo = np.full((*size, 3), 120, np.uint8), photograph()
    for left, top in places:
        right, bottom = min(left + 256, size[1]), min(top + 256, size[0])
        x, y = max(left, 0), max(top, 0)
        picture[y:bottom, x:right] = photo[y - top : bottom - top, x - left : right - left]
    return picture


def write_video(path: Path, frame: Callable[[int], np.ndarray], frames: int, code: str = "mp4v") -> Path:
    height, width = frame(0).shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), RATE, (width, height))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(frame(number))
    writer.release()
    return path


def face_between(first: int, last: int) -> Callable[[int], np.ndarray]:
    """Frames with a face from frame `first` to `last`, and none else."""
    with_face, without = scene((200, 100)), scene()
    return lambda number: with_face if first <= number <= last else without


def turned(path: Path) -> Path:
    """A copy of an MP4 that says it was filmed with the camera turned: the matrix of its track rotates by 90
    degrees."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # version 0: 4 flags, 20 of times and ids, 8 + 8 of others
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    copy = path.with_name(f"turned_{path.name}")
    copy.write_bytes(content)
    return copy


def damaged(path: Path, frame: int) -> Path:
    """A copy of a Motion JPEG AVI one of whose frames is no JPEG."""
    content = bytearray(path.read_bytes())
    start = content.index(b"movi")
    for _ in range(frame + 1):
        start = content.index(b"00dc", start) + 8
    content[start : start + 600] = bytes(600)
    copy = path.with_name(f"damaged_{path.name}")
    copy.write_bytes(content)
    return copy


def jpeg_stream(path: Path, picture: np.ndarray, frames: int) -> Path:
    """Frames one after the other, in a file that knows neither how many there are nor their times."""
    path.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes() * frames)
    return path
