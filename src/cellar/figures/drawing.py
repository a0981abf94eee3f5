"""A figure's name to its PNG, by matplotlib. Same inputs, same bytes: no date, no version and no user's style."""

from collections.abc import Callable

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cellar import files, paths
from cellar.errors import CellarError
from cellar.figures import AUDIT, EPOCH_FIGURES, STEP_LOSSES, known, of_sweeps
from cellar.figures.audit_pairs import audit_pairs
from cellar.figures.confusions import confusions
from cellar.figures.curves import curves
from cellar.figures.grids import heat_maps
from cellar.figures.pins_epochs import epoch_curves
from cellar.figures.pins_pairs import face_pairs
from cellar.figures.pins_parts import face_parts, part_map
from cellar.figures.samples import classes, emotions
from cellar.figures.steps import step_losses
from cellar.mistakes import likely
from cellar.params import Params

PAINTERS: dict[str, Callable[[Params], Figure]] = {
    "fig_3": emotions,
    "fig_4": confusions,
    "cifar100_figure_1": classes,
    "pins_fig_2": face_parts,
    "pins_fig_3": part_map,
    "pins_fig_4": face_pairs,
}


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
    if figure in of_sweeps(params):
        return heat_maps(params, figure)
    if figure in STEP_LOSSES:
        return step_losses(params, figure)
    if figure in EPOCH_FIGURES:
        return epoch_curves(params, figure)
    if figure.startswith(AUDIT):
        return audit_pairs(params, figure.removeprefix(AUDIT))
    if figure in PAINTERS:
        return PAINTERS[figure](params)
    return curves(params, figure.removeprefix("curves_"))
