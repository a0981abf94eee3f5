"""What each method gains over the student alone, with intervals: a panel for each pair, methods sorted."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from cellar.config import Params
from cellar.figures.captions import caption
from cellar.studies import FigureSpec

from .lines import Pair, baseline, heading, pairs
from .printed import ALONE, KD
from .tables.cells import difference, difference_inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CODE = ("printed.py", "lines.py", "trainings.py", "tables", "figures.py")
INCH_PER_ROW, WIDTH, COLUMNS = 0.24, 4.6, 3
LETTERS_PER_INCH = 9  # of a title
HELPS, HURTS, UNKNOWN = "#1b7837", "#b2182b", "#888888"

Gain = tuple[str, float, Sequence[float], bool]  # method, points, 95 % interval, whether it is over seeds


def inputs(params: Params) -> list[str]:
    return sorted({path for pair in pairs(params).values() for path in inputs_of(params, pair)})


def inputs_of(params: Params, pair: Pair) -> list[str]:
    found: list[str] = []
    for method, (_, runs) in pair.students.items():
        if method != ALONE:
            found += difference_inputs(runs, baseline(params, pair, ALONE, runs.seeds))
    return found


def gains(params: Params, pair: Pair) -> list[Gain]:
    """From the lowest to the highest; methods without a student alone by the same seeds are left out."""
    found = []
    for method, (_, runs) in pair.students.items():
        if method == ALONE:
            continue
        cell = difference(runs, baseline(params, pair, ALONE, runs.seeds), "the teacher")
        if cell.interval and isinstance(cell.value, int | float):
            found.append((method, float(cell.value), cell.interval, "seeds" in (cell.method or "")))
    return sorted(found, key=lambda gain: gain[1])


def draw(params: Params) -> "Figure":
    from matplotlib.figure import Figure

    shown = {name: gains(params, pair) for name, pair in pairs(params).items()}
    columns = min(COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    height = 0.9 + INCH_PER_ROW * max(map(len, shown.values()))
    figure = Figure(figsize=(WIDTH * columns, height * lines + 0.6), layout="constrained")
    for axes, (name, found) in zip(figure.subplots(lines, columns, squeeze=False).flat, shown.items(), strict=False):
        panel(axes, name, found)
    for axes in figure.axes[len(shown) :]:
        axes.set_axis_off()
    title = caption(params, "Accuracy beyond the student alone, 95 % intervals")
    figure.suptitle(fill(title, int(LETTERS_PER_INCH * WIDTH * columns)))
    return figure


def panel(axes: "Axes", name: str, found: list[Gain]) -> None:
    """A dot and its interval for each method; KD's gain as a line, which the others have to beat."""
    for place, (_, gain, (low, high), over_seeds) in enumerate(found):
        colour = HELPS if low > 0 else HURTS if high < 0 else UNKNOWN
        axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([gain], [place], "o", color=colour, markersize=5, markerfacecolor=colour if over_seeds else "white")
    axes.axvline(0, color="black", linewidth=0.8)
    for gain in [gain for method, gain, *_ in found if method == KD]:
        axes.axvline(gain, color="black", linewidth=0.8, linestyle=":", label="KD")
        axes.legend(loc="lower right", frameon=False)
    axes.set_yticks(range(len(found)), [heading(method) for method, *_ in found])
    axes.set_ylim(-0.7, len(found) - 0.3)
    axes.set_title(name.replace("-", " → ").replace("_", "-"))
    axes.set_xlabel("points (open dot: interval over\ntest images, not over seeds)")
    axes.grid(axis="x", linewidth=0.3)


FIGURES = (
    FigureSpec(
        "gains",
        "What each method gains over the student alone, in points, with 95 % intervals; dotted: KD.",
        "figures:draw",
        inputs,
        is_known=lambda params: bool(pairs(params)),
        code=CODE,
    ),
)
