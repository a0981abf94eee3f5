"""Pictures and video with a known face: Eileen Collins, NASA's photograph S93-35430, which is in the public domain."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

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


def claiming(frames: int, path: Path) -> Path:
    """A copy of an AVI whose header says that it has so many frames."""
    content = bytearray(path.read_bytes())
    for header, place in ((b"avih", 16), (b"strh", 32)):
        start = content.index(header) + 8 + place
        content[start : start + 4] = struct.pack("<I", frames)
    copy = path.with_name(f"claiming_{path.name}")
    copy.write_bytes(content)
    return copy


def lasting_longer(path: Path) -> Path:
    """A copy of a Matroska file that lasts twice as long as its frames do at its rate."""
    content = bytearray(path.read_bytes())
    start = content.index(b"\x44\x89\x88") + 3  # the element Duration, of 8 bytes
    (duration,) = struct.unpack(">d", content[start : start + 8])
    content[start : start + 8] = struct.pack(">d", 2 * duration)
    copy = path.with_name(f"longer_{path.name}")
    copy.write_bytes(content)
    return copy


def huge_gif(path: Path, side: int) -> Path:
    """One small picture on a canvas of side x side pixels."""
    Image.new("P", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<2H", side, side)
    path.write_bytes(content)
    return path
