"""A figure as PNG, by matplotlib. Same inputs, same bytes: no date, no version and no user's style."""

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cellar import files, paths
from cellar.config import Params
from cellar.figures import find


def draw(figure: str, params: Params) -> None:
    """Write results/figures/<figure>.png. Raises CellarError for an unknown figure, or an input missing or broken."""
    entry = find(figure, params)
    with style.context("default"):
        canvas = FigureCanvasAgg(entry.draw(params))
        path = paths.FIGURES / f"{figure}.png"
        files.write_with(path, lambda file: canvas.print_figure(file, dpi=150, metadata={"Software": None}))
