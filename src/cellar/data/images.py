"""Image files to arrays, safely: a file that is not a whole image is one line, never a traceback."""

import hashlib
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from cellar.data import image_formats
from cellar.data.foreign import check_is_data, is_system_file
from cellar.errors import CellarError, printable

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MAX_PIXELS = 50_000_000  # a file that claims more is refused before anything is decoded
SHOWN_FAULTS = 3  # files that a message names
TURNS = {  # EXIF's orientation -> what makes it upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
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
    """The image in `data` as `mode` ("L" or "RGB"; None keeps grey grey and makes the rest RGB), upright as its EXIF
    says, on white where it is transparent.

    `path` serves the messages. `size` is (width, height) that it must have. Raises CellarError when the
    image is unreadable, cut short, far too large, an animation, of more than 8 bits, or of another size.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            check_header(path, image, size)
            if image.format == "PNG":  # the only one with checksums to verify, which uses the object up
                image.verify()
                image = Image.open(io.BytesIO(data), formats=FORMATS)
            image.load()
            mode = mode or ("L" if image.mode in {"1", "L"} else "RGB")
            return opaque(upright(image)).convert(mode)
        except CellarError:
            raise
        except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error and more
            raise CellarError(f"{path} {unreadable(data, error)}") from None


def unreadable(data: bytes, error: Exception) -> str:
    """Why, and what to do."""
    other = image_formats.by_content(data)
    if other:
        return f"is {other}, which is not read, whatever its name; {image_formats.remedy(other)}"
    reason = "no known image format" if "identify" in str(error) else printable(str(error).rstrip("."))
    return f"is not a readable image ({reason}); replace the file"


def check_header(path: Path, image: Image.Image, size: tuple[int, int] | None) -> None:
    width, height = image.size
    if size is not None and image.size != size:
        raise CellarError(f"{path} is {width}x{height}, expected {size[0]}x{size[1]}; take the file as published")
    if width * height > MAX_PIXELS:
        raise CellarError(f"{path} claims {width}x{height} pixels; the limit is {MAX_PIXELS:,}: replace the file")
    if image.mode.startswith(("I", "F")):
        raise CellarError(f"{path} has more than 8 bits a channel; save it as 8-bit grey or RGB")
    if image.format in {"PNG", "WEBP"} and getattr(image, "is_animated", False):  # a JPEG's others are no animation
        raise CellarError(f"{path} is an animation; save one of its pictures as PNG")


def upright(image: Image.Image) -> Image.Image:
    """Turned or mirrored as its EXIF says; a broken EXIF says nothing. Cameras store pixels as the sensor has them."""
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # of parsing, which has no common type
        turn = None
    return image if turn is None else image.transpose(turn)


def opaque(image: Image.Image) -> Image.Image:
    """On white where it is transparent: the colours stored there are what a program happened to leave."""
    if not image.has_transparency_data:
        return image
    layered = image.convert("RGBA")
    if layered.getchannel("A").getextrema() == (255, 255):
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), layered).convert("RGB")


def read_images(
    root: Path, paths: Sequence[Path], mode: str, size: tuple[int, int]
) -> tuple[np.ndarray, dict[str, str]]:
    """Decode `paths`, all of one size (width, height), in the order given.

    Returns uint8 (N, H, W) for mode "L" or (N, H, W, 3) for "RGB", and the sources for a manifest.
    """
    width, height = size
    images = np.empty((len(paths), height, width, *((3,) if mode == "RGB" else ())), np.uint8)

    def keep(row: int, image: Image.Image) -> None:
        images[row] = np.asarray(image)

    return images, read_each(root, paths, mode, keep, size)


def read_each(
    root: Path,
    paths: Sequence[Path],
    mode: str | None,
    keep: Callable[[int, Image.Image], None],
    size: tuple[int, int] | None = None,
) -> dict[str, str]:
    """Decode `paths` one by one and hand each to `keep` with its row. Returns the sources for a manifest.

    Raises one CellarError for all files that cannot be read.
    """
    hashes: dict[str, str] = {}
    faults: dict[Path, str] = {}
    for row, path in enumerate(paths):
        try:
            data = read(path)
            image = decode(path, data, mode, size)
        except CellarError as error:
            faults[path] = str(error)
            continue
        keep(row, image)
        hashes[path.relative_to(root).as_posix()] = hashlib.sha256(data).hexdigest()
    if faults:
        raise CellarError(summary(root, faults, len(paths)))
    return summarise(hashes)


def summary(root: Path, faults: dict[Path, str], total: int) -> str:
    """The fault of one file in full; of several the first ones, and how many there are."""
    if len(faults) == 1:
        return next(iter(faults.values()))
    first = [
        f"{path.relative_to(root)} {fault.removeprefix(f'{path} ').partition('; ')[0]}"
        for path, fault in list(faults.items())[:SHOWN_FAULTS]
    ]
    more = f" and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return f"{root}: {len(faults)} of {total} images cannot be used: {', '.join(first)}{more}; replace them, or take them out"


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
