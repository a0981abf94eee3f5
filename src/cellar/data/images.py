"""Image files to arrays, safely: a file that is not a whole image is one line, never a traceback."""

import hashlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cellar.data.foreign import check_is_data, is_system_file
from cellar.errors import CellarError, printable

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MAX_PIXELS = 50_000_000  # a file that claims more is refused before anything is decoded
FOLDER_DIGEST_FROM = 1000  # above so many files the manifest keeps one hash a folder


def is_hidden(path: Path) -> bool:
    """Files that desktops and servers leave behind, which belong to no data set."""
    return path.name.startswith(".") or is_system_file(path.name)


def visible(folder: Path) -> list[Path]:
    """What `folder` holds, sorted by name, without what desktops leave behind."""
    try:
        return sorted(entry for entry in folder.iterdir() if not is_hidden(entry))
    except OSError as error:
        raise CellarError(f"{folder} cannot be listed ({error.strerror}); mend its permissions") from None


def read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CellarError(f"{path} cannot be read ({error.strerror}); mend or replace the file") from None
    check_is_data(path, data)
    return data


def decode(path: Path, data: bytes, mode: str | None, size: tuple[int, int] | None = None) -> Image.Image:
    """The image in `data` as `mode` ("L" or "RGB"; None keeps grey grey and makes the rest RGB).

    `path` serves the messages. `size` is (width, height) that it must have. Raises CellarError when the
    image is unreadable, cut short, far too large, of more than 8 bits, or of another size.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            check_header(path, image, size)
            if image.format == "PNG":  # the only one with checksums to verify, which uses the object up
                image.verify()
                image = Image.open(io.BytesIO(data), formats=FORMATS)
            return image.convert(mode or ("L" if image.mode in {"1", "L"} else "RGB"))
        except CellarError:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error and more
            reason = "no known image format" if "identify" in str(error) else printable(str(error).rstrip("."))
            raise CellarError(f"{path} is not a readable image ({reason}); replace the file") from None


def check_header(path: Path, image: Image.Image, size: tuple[int, int] | None) -> None:
    width, height = image.size
    if size is not None and image.size != size:
        raise CellarError(f"{path} is {width}x{height}, expected {size[0]}x{size[1]}; take the file as published")
    if width * height > MAX_PIXELS:
        raise CellarError(f"{path} claims {width}x{height} pixels; the limit is {MAX_PIXELS:,}: replace the file")
    if image.mode.startswith(("I", "F")):
        raise CellarError(f"{path} has more than 8 bits a channel; save it as 8-bit grey or RGB")


def read_images(
    root: Path, paths: Sequence[Path], mode: str, size: tuple[int, int]
) -> tuple[np.ndarray, dict[str, str]]:
    """Decode `paths`, all of one size (width, height), in the order given.

    Returns uint8 (N, H, W) for mode "L" or (N, H, W, 3) for "RGB", and the sources for a manifest.
    """
    width, height = size
    images = np.empty((len(paths), height, width, *((3,) if mode == "RGB" else ())), np.uint8)
    hashes: dict[str, str] = {}
    for row, path in enumerate(paths):
        data = read(path)
        images[row] = np.asarray(decode(path, data, mode, size))
        hashes[path.relative_to(root).as_posix()] = hashlib.sha256(data).hexdigest()
    return images, summarise(hashes)


def summarise(hashes: dict[str, str]) -> dict[str, str]:
    """Per-file hashes as they are; of more than 1,000 files, one hash a folder, its key ending in /.

    A folder's hash is the sha256 of its sorted lines "<sha256>  <name>", as `sha256sum` prints them.
    """
    if len(hashes) <= FOLDER_DIGEST_FROM:
        return dict(sorted(hashes.items()))
    lines: dict[str, list[str]] = {}
    for path in sorted(hashes):
        folder, _, name = path.rpartition("/")
        lines.setdefault(f"{folder}/", []).append(f"{hashes[path]}  {name}\n")
    return {folder: hashlib.sha256("".join(rows).encode()).hexdigest() for folder, rows in sorted(lines.items())}
