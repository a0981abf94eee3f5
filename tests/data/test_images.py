"""Image files as people have them: turned by EXIF, transparent, damaged, of formats that are not read."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from cellar.data import images
from cellar.data.readers import identity_folder, image_folder
from cellar.errors import CellarError

CORNERS = np.array([[10, 60], [110, 160], [210, 250]], np.uint8)  # 2 wide, 3 high: no two corners are alike
ORIENTED = {  # EXIF orientation -> what a viewer shows of CORNERS, by the EXIF standard's words
    1: [[10, 60], [110, 160], [210, 250]],
    2: [[60, 10], [160, 110], [250, 210]],  # row 0 is the top, column 0 the right side
    3: [[250, 210], [160, 110], [60, 10]],  # bottom, right
    4: [[210, 250], [110, 160], [10, 60]],  # bottom, left
    5: [[10, 110, 210], [60, 160, 250]],  # row 0 is the left side, column 0 the top
    6: [[210, 110, 10], [250, 160, 60]],  # right side, top
    7: [[250, 160, 60], [210, 110, 10]],  # right side, bottom
    8: [[60, 160, 250], [10, 110, 210]],  # left side, bottom
}


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return file_of(Image.fromarray(CORNERS), "PNG", exif=exif)


def pixels(data: bytes, mode: str | None = None) -> list[object]:
    return np.asarray(images.decode(Path("x.png"), data, mode)).tolist()


@pytest.mark.parametrize("orientation", ORIENTED)
def test_a_camera_s_orientation_is_applied(orientation: int) -> None:
    assert pixels(turned(orientation)) == ORIENTED[orientation]


def test_a_broken_exif_says_nothing() -> None:
    data = file_of(Image.fromarray(CORNERS), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0")
    assert pixels(data) == CORNERS.tolist()
    assert pixels(turned(99)) == CORNERS.tolist()


def test_transparent_pixels_are_white_whatever_colour_they_hide() -> None:
    rgba = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    rgba.putpixel((1, 0), (0, 200, 0, 0))
    assert pixels(file_of(rgba, "PNG")) == [[[200, 0, 0], [255, 255, 255]]]
    palette = Image.new("P", (2, 1))
    palette.putpalette([200, 0, 0, 0, 200, 0])
    palette.putpixel((1, 0), 1)
    assert pixels(file_of(palette, "PNG", transparency=1)) == [[[200, 0, 0], [255, 255, 255]]]
    assert pixels(file_of(palette, "PNG")) == [[[200, 0, 0], [0, 200, 0]]]
    grey = Image.fromarray(np.array([[50, 60]], np.uint8))
    assert pixels(file_of(grey, "PNG", transparency=60)) == [[50, 255]]


def test_printers_colours_become_rgb() -> None:
    """Cyan without other ink absorbs red alone."""
    red, green, blue = pixels(file_of(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=100))[4][4]  # type: ignore[index]
    assert red < 20 and green > 235 and blue > 235


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    return file_of(frames[0], kind, save_all=True, append_images=frames[1:])


REFUSED: dict[str, tuple[bytes, str]] = {
    "animated WebP": (animation("WEBP"), "is an animation"),
    "animated PNG": (animation("PNG"), "is an animation"),
    "GIF": (animation("GIF"), "is GIF, which"),
    "TIFF": (file_of(Image.new("RGB", (4, 4)), "TIFF"), "is TIFF, which"),
    "AVIF": (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "is AVIF, which"),
    "HEIC": (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "is HEIC, which"),
    "16 bits": (file_of(Image.fromarray(np.full((4, 4), 40_000, np.uint16)), "PNG"), "more than 8 bits"),
    "text": (b"hello", "no known image format"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_named_with_what_to_do(case: str) -> None:
    data, words = REFUSED[case]
    with pytest.raises(CellarError) as caught:
        images.decode(Path("a/x.jpg"), data, None)
    assert str(caught.value).startswith("a/x.jpg ") and words in str(caught.value) and ";" in str(caught.value)


def test_two_photographs_in_a_jpeg_are_no_animation() -> None:
    """Phones store a second picture behind the first (MPO)."""
    first, second = Image.new("RGB", (8, 8), "white"), Image.new("RGB", (8, 8), "black")
    data = file_of(first, "MPO", save_all=True, append_images=[second])
    assert pixels(data)[0][0] == [255, 255, 255]  # type: ignore[index]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("train", "test"):
        for shade, name in ((40, "cat"), (200, "dog")):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(6):
                Image.new("RGB", (12, 10), (shade, number, 0)).save(tmp_path / split / name / f"{number}.png")
    return tmp_path


def damage_four(folder: Path) -> None:
    for number, file in enumerate(sorted((folder / "train").rglob("*.png"))[:4]):
        file.write_bytes(file.read_bytes()[:-20] if number else b"GIF89a" + bytes(40))


READERS: dict[str, Callable[[Path], object]] = {
    "image_folder": lambda path: image_folder.load(path),
    "identity_folder": lambda path: identity_folder.load(path / "train", 8, 2, 1),
}


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_named_together(folder: Path, reader: str) -> None:
    damage_four(folder)
    with pytest.raises(CellarError) as caught:
        READERS[reader](folder)
    line = str(caught.value)
    assert f"4 of {24 if reader == 'image_folder' else 12} images cannot be used" in line and "\n" not in line
    assert "cat/0.png is GIF, which" in line and "cat/1.png is not a readable image" in line
    assert "and 1 more; replace them" in line and line.count(".png") == 3


def test_images_of_mixed_sizes_become_input_size(folder: Path) -> None:
    Image.new("RGB", (1, 300), (40, 77, 0)).save(folder / "train" / "cat" / "2.png")
    found = image_folder.load(folder, 16, validation_fraction=0.34)
    assert found.images.shape == (24, 16, 16, 3)
    assert sorted(found.images[:, 8, 8, 1].tolist()) == sorted([0, 1, 77, 3, 4, 5] + 3 * [0, 1, 2, 3, 4, 5])
    assert found.remarks == ("images of 2 sizes: resized to 16x16",)
    assert (found.images[:, 8, 8, 0] == np.where(found.labels == 0, 40, 200)).all()


def test_mixed_sizes_are_resized_as_inputs_are(folder: Path) -> None:
    """Pillow's bilinear filter with its own averaging: halving a step from black to white weighs 1/8, 3/8, 3/8, 1/8."""
    step = np.repeat(np.array([0] * 8 + [200] * 8, np.uint8)[None], 16, axis=0)
    Image.fromarray(step).convert("RGB").save(folder / "train" / "cat" / "0.png")
    found = image_folder.load(folder, 8, validation_fraction=0.34)
    row = next(image for image in found.images if image[0, 7, 2] == 200)[0, :, 0]
    assert row.tolist() == [0, 0, 0, 25, 175, 200, 200, 200]


def test_images_of_one_size_stay_as_they_are(folder: Path) -> None:
    found = image_folder.load(folder, 16, validation_fraction=0.34)
    assert found.images.shape == (24, 10, 12, 3) and found.remarks == ()


def test_a_file_of_a_format_that_is_not_read_is_named_by_its_suffix(folder: Path) -> None:
    (folder / "train" / "cat" / "IMG_1.HEIC").write_bytes(b"\0\0\0\x24ftypheic")
    with pytest.raises(CellarError, match=r"IMG_1\.HEIC is HEIC by its name.*; convert it to PNG or JPEG"):
        image_folder.load(folder)
