"""A figure as PNG, by matplotlib. Same inputs, same bytes: no date, no version and no user's style."""

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cellar import files, paths
from cellar.config import Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.figures import catalogue


def draw(figure: str, params: Params) -> None:
    """Write results/figures/<figure>.png. Raises CellarError for an unknown figure, or an input missing or broken."""
    entries = catalogue(params)
    if figure not in entries:
        known = list(entries)
        raise CellarError(f"there is no figure {figure!r}{likely(figure, known)}; known: {', '.join(known)}")
    with style.context("default"):
        canvas = FigureCanvasAgg(entries[figure].draw(params))
        path = paths.FIGURES / f"{figure}.png"
        files.write_with(path, lambda file: canvas.print_figure(file, dpi=150, metadata={"Software": None}))
