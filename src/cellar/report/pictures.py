"""Figures as data addresses: re-encoded as WebP, so that a page with all of them stays small enough to send."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cellar import paths
from cellar.errors import CellarError
from cellar.tables import reference

WIDEST = 1700  # pixels; figures are drawn at 150 dpi, some twice as wide as any page
LOSSLESS_UP_TO = 300_000  # bytes; a larger one is mostly photographs, which bear a loss
QUALITY = 86
CAPTIONS = {
    "fig_3": "Figure 3. Images of the seven classes, the first of each in the test split.",
    "fig_4": "Figure 4. Confusion matrices of the students.",
    "cifar100_figure_1": "Figure 1. One test image of each class.",
    "cifar100_figure_2": "Figure 2. Training loss of every step, without a teacher.",
    "cifar100_figure_3": "Figure 3. Training loss of every step, with a teacher.",
    "pins_fig_2": "Figure 2. Parts cut from faces.",
    "pins_fig_3": "Figure 3. t-SNE of a network's activations to parts of faces.",
    "pins_fig_4": "Figure 4. Two faces of one identity and two of different ones.",
    "pins_fig_8": "Figure 8. One-shot accuracy by epoch.",
    "pins_fig_9": "Figure 9. One-shot loss by epoch.",
    "pins_fig_10": "Figure 10. Macro F1 of feature distillation by epoch.",
}
STUDIES = {  # by the beginning of a figure's name
    "fig_": reference.MINI_RESEMOTENET,
    "cifar100": reference.CIFAR100_KD,
    "pins": reference.SMALL_DATASET_KD,
    "audit": "audit",
}


@dataclass(frozen=True)
class Picture:
    id: str
    caption: str
    address: str
    width: int
    height: int


def pictures_of(study: str) -> list[Picture]:
    """Those of results/figures, the papers' own first."""
    found = [path for path in sorted(paths.FIGURES.glob("*.png")) if study_of(path.stem) == study]
    found.sort(key=lambda path: (path.stem not in CAPTIONS, path.stem.startswith("curves_"), number(path.stem)))
    return [picture(path, caption(path.stem)) for path in found]


def study_of(figure: str) -> str:
    """By the figure's name: fig_4, pins_fig_3, curves_<data set>, or a sweep, whose name begins with its data set."""
    if figure.startswith("curves_"):
        return reference.study_of(figure.removeprefix("curves_"))
    own = next((study for start, study in STUDIES.items() if figure.startswith(start)), None)
    return own or next(
        (study for name, study in reference.STUDIES.items() if figure.startswith(name)), reference.CUSTOM
    )


def number(figure: str) -> tuple[int, str]:
    last = figure.rpartition("_")[2]
    return (int(last) if last.isdigit() else 0, figure)


def caption(figure: str) -> str:
    if figure.startswith("curves_"):
        return f"Training curves of {figure.removeprefix('curves_')}."
    if figure.startswith("audit_"):
        return f"Audit of {figure.removeprefix('audit_')}: the likest pairs."
    return CAPTIONS.get(figure, f"{figure.replace('_', ' ')}: accuracy over temperature and weight.")


def picture(path: Path, caption: str) -> Picture:
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
    return Picture(path.stem, caption, f"data:image/webp;base64,{b64encode(data).decode()}", *image.size)


def encoded(image: Image.Image, lossless: bool) -> bytes:
    kept = BytesIO()
    image.save(kept, "WEBP", lossless=lossless, quality=QUALITY, method=4)
    return kept.getvalue()
