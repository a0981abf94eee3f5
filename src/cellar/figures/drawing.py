"""A figure's name to its PNG, by matplotlib. Same inputs, same bytes: no date, no version and no user's style."""

from importlib import import_module

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cellar import files, paths
from cellar.config import Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.figures import known, of_sweeps, painter


def draw(figure: str, params: Params) -> None:
    """Write results/figures/<figure>.png. Raises CellarError for an unknown figure, or an input missing or broken."""
    names = [*known(params), *of_sweeps(params)]
    if figure not in names:
        raise CellarError(f"there is no figure {figure!r}{likely(figure, names)}; known: {', '.join(names)}")
    with style.context("default"):
        canvas = FigureCanvasAgg(paint(figure, params))
        path = paths.FIGURES / f"{figure}.png"
        files.write_with(path, lambda file: canvas.print_figure(file, dpi=150, metadata={"Software": None}))


def paint(figure: str, params: Params) -> Figure:
    module, function, told = painter(figure, params)
    painted: Figure = getattr(import_module(module), function)(params, *told)
    return painted
