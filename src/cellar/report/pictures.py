"""Figures as data URIs: re-encoded as WebP, so that a page with all of them stays small enough to send."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cellar import figures, paths, studies
from cellar.config import Config
from cellar.errors import CellarError

WIDEST = 1700  # pixels; figures are drawn at 150 dpi, some twice as wide as any page
LOSSLESS_UP_TO = 300_000  # bytes; a larger one is mostly photographs, which bear a loss
QUALITY = 86


@dataclass(frozen=True)
class Picture:
    id: str
    caption: str
    address: str
    width: int
    height: int


def pictures_of(config: Config, study: str) -> list[Picture]:
    """Those of results/figures that params.yaml asks for, the papers' own first."""
    built = paths.built(paths.FIGURES, ".png")
    listed = {
        name: entry for name, entry in figures.catalogue(config).items() if group_of(entry) == study and name in built
    }
    ordered = sorted(listed, key=lambda name: (not listed[name].of_paper, name.startswith("curves_"), number(name)))
    return [picture(name, built[name], listed[name].caption) for name in ordered]


def number(figure: str) -> tuple[int, str]:
    last = figure.rpartition("_")[2]
    return (int(last) if last.isdigit() else 0, figure)


def picture(name: str, path: Path, caption: str) -> Picture:
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise CellarError(f"{path} is no picture ({error}); remove it and build it again") from None
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    data = encoded(image, lossless=True)
    if len(data) > LOSSLESS_UP_TO:
        data = min(data, encoded(image, lossless=False), key=len)
    return Picture(name, caption, f"data:image/webp;base64,{b64encode(data).decode()}", *image.size)


def encoded(image: Image.Image, lossless: bool) -> bytes:
    kept = BytesIO()
    image.save(kept, "WEBP", lossless=lossless, quality=QUALITY, method=4)
    return kept.getvalue()


def group_of(entry: figures.Entry) -> str:
    """The section of the page that shows a figure: its paper's, that of the audit, or that of other data sets."""
    if not entry.study:
        return studies.AUDIT
    return entry.study if entry.study in studies.known() else studies.CUSTOM
