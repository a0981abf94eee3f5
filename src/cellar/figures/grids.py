"""A sweep as heat maps: test accuracy over temperature and task_weight, validation accuracy beside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cellar.config import Params, Sweep
from cellar.figures.captions import caption
from cellar.tables.sweep import Point, Values, best, grid, on_test, on_validation, weight_name

SOLID, DASHED = "best in its panel", "chosen on validation"


def heat_maps(params: Params, sweep: str) -> Figure:
    """One colour scale for both panels. The best point is framed; on test, so is the one that validation chooses."""
    line, points = params.sweeps[sweep], grid(params, sweep)
    tested, validated = on_test(points), on_validation(points)
    panels = {"test accuracy (%)": tested} | ({"validation accuracy (%)": validated} if validated else {})
    width, height = 1.5 + 1.1 * len(line.task_weights), 2.2 + 0.62 * len(line.temperatures)
    figure = Figure(figsize=(max(6.4, width * len(panels)), height), layout="constrained")
    figure.suptitle(caption(params, f"Sweep {sweep}: {line.model} on {line.dataset}"), fontsize=12)
    all_values = [value for values in panels.values() for value in values.values()]
    for axes, (title, values) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        show_map(axes, line, values, (min(all_values), max(all_values)), weight_name(params, line))
        axes.set_title(title, fontsize=11)
        frame(axes, line, best(values), "-")
    if validated:
        frame(figure.axes[0], line, best(validated), "--")
    explain_frames(figure, dashed=bool(validated))
    return figure


def show_map(axes: Axes, line: Sweep, values: Values, limits: tuple[float, float], weight: str) -> None:
    """`weight`: what the study calls task_weight."""
    low, high = limits
    table = np.array([[values[t, w] for w in line.task_weights] for t in line.temperatures])
    axes.imshow(table, cmap="Blues", vmin=low - 0.1, vmax=high + 0.1, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        tone = "white" if value > low + 0.6 * (high - low) else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=10, color=tone)
    axes.set_xticks(range(len(line.task_weights)), [f"{w:g}" for w in line.task_weights], fontsize=10)
    axes.set_yticks(range(len(line.temperatures)), [f"{t:g}" for t in line.temperatures], fontsize=10)
    axes.set_xlabel(weight, fontsize=10)
    axes.set_ylabel("temperature", fontsize=10)


def frame(axes: Axes, line: Sweep, points: list[Point], linestyle: str) -> None:
    """Dashes lie inside the solid frame, so that one point can carry both."""
    inset = 0.04 if linestyle == "-" else 0.1
    for temperature, weight in points:
        column, row = line.task_weights.index(weight), line.temperatures.index(temperature)
        corner, side = (column - 0.5 + inset, row - 0.5 + inset), 1 - 2 * inset
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="#D55E00", linewidth=2, linestyle=linestyle))


def explain_frames(figure: Figure, dashed: bool) -> None:
    styles = {SOLID: "-"} | ({DASHED: "--"} if dashed else {})
    shapes = [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor="#D55E00", linewidth=2, linestyle=s) for s in styles.values()
    ]
    figure.legend(shapes, list(styles), loc="outside lower center", ncols=2, fontsize=10, frameon=False)
