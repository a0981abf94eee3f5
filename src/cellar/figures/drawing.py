"""The figures, by matplotlib. Same inputs, same bytes: no date, no version and no user's style gets into the PNG."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellar import files, models, paths
from cellar.errors import CellarError
from cellar.figures import confused, history, known, lines, sampled
from cellar.mistakes import likely
from cellar.params import Params
from cellar.tables.runs import Runs

PER_CLASS = 2  # sample images of figure 3
COLOURS = ("#D55E00", "#009E73", "#0072B2", "#CC79A7")  # Okabe and Ito, for all kinds of sight
MARKERS = "os^Dv*XP"  # tell the runs of one model apart
PANELS = {"train_loss": "training loss (methods differ in scale)", "validation_accuracy": "validation accuracy (%)"}


def draw(figure: str, params: Params) -> None:
    """Write results/figures/<figure>.png. Raises CellarError for an unknown figure, or an input missing or broken."""
    if figure not in known(params):
        raise CellarError(
            f"there is no figure {figure!r}{likely(figure, known(params))}; known: {', '.join(known(params))}"
        )
    painters: dict[str, Callable[[Params], Figure]] = {"fig_3": samples, "fig_4": confusions}
    with style.context("default"):
        drawn = painters[figure](params) if figure in painters else curves(params, figure.removeprefix("curves_"))
        canvas = FigureCanvasAgg(drawn)
        path = paths.FIGURES / f"{figure}.png"
        files.write_with(path, lambda file: canvas.print_figure(file, dpi=150, metadata={"Software": None}))


def caption(params: Params, text: str) -> str:
    return f"{text} ({'drawn faces, ' if params.scale.drawn else ''}scale {params.scale.name})"


def samples(params: Params) -> Figure:
    """Figure 3: images of the seven classes, the first of each class in the test split."""
    names = sampled(params)
    figure = Figure(figsize=(8.4, 2.5 * len(names) + 0.4), layout="constrained")
    figure.suptitle(caption(params, "The seven emotion classes"), fontsize=12)
    for block, name in zip(figure.subfigures(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        block.supylabel(name, fontsize=11)
        arrays, classes = read_prepared(name)
        grid = block.subplots(PER_CLASS, len(classes), squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.02})
        for axes in grid.flat:
            axes.set_axis_off()
        for label, emotion in enumerate(classes):
            grid[0][label].set_title(emotion, fontsize=11)
            chosen = np.flatnonzero((arrays["split"] == "test") & (arrays["labels"] == label))[:PER_CLASS]
            for axes, index in zip(grid[:, label], chosen, strict=False):
                axes.imshow(arrays["images"][index], cmap="gray", vmin=0, vmax=255)
    return figure


def read_prepared(dataset: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of a prepared set and its classes in label order."""
    folder = paths.prepared(dataset)
    arrays, manifest = files.read_arrays(folder / "arrays.npz"), files.read_json(folder / "manifest.json")
    if not {"images", "labels", "split"} <= arrays.keys() or "classes" not in manifest:
        raise CellarError(f"{folder} is not a prepared data set; remove the folder and prepare it again")
    return arrays, manifest["classes"]


def confusions(params: Params) -> Figure:
    """Figure 4: confusion matrices of the students on FER2013's test split, rows normalised."""
    shown = confused(params)
    figure = Figure(figsize=(max(4.8 * len(shown), 7), 5.6), layout="constrained")
    figure.suptitle(caption(params, "FER2013 test split: % of the true class, and images"), fontsize=12)
    for axes, runs in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        path = Path(runs.metrics_files()[0])
        try:
            show_matrix(axes, files.read_json(path), runs)
        except (KeyError, TypeError, ValueError):
            raise CellarError(f"{path} is not a metrics file; remove it and build it again") from None
    return figure


def show_matrix(axes: Axes, scores: dict[str, Any], runs: Runs) -> None:
    counts, classes = np.array(scores["confusion"]), list(scores["per_class"])
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        tone = "white" if share > 55 else "black"
        text = f"{share:.0f} %\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=tone)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor", fontsize=10)
    axes.set_yticks(range(len(classes)), classes, fontsize=10)
    axes.set_xlabel("predicted", fontsize=10)
    axes.set_ylabel("true", fontsize=10)
    title = f"{runs.key}: {scores['model']}\naccuracy {scores['accuracy']:.2f} %, N = {scores['n']:,}"
    axes.set_title(title, fontsize=11)


def curves(params: Params, dataset: str) -> Figure:
    """Training loss and validation accuracy of every run of a data set, by epoch; dashed: without a teacher."""
    figure = Figure(figsize=(11.5, 4.6), layout="constrained")
    figure.suptitle(caption(params, f"Training on {dataset}; dashed: without a teacher"), fontsize=12)
    panels = figure.subplots(1, len(PANELS))
    drawn = lines(params, dataset)
    for runs, look in zip(drawn, looks(params, drawn), strict=True):
        rows = read_history(history(runs))
        sparse = max(1, len(rows) // 10)
        for axes, column in zip(panels, PANELS, strict=True):
            axes.plot(rows["epoch"], rows[column], label=label(runs), markevery=sparse, **look)
    for axes, title in zip(panels, PANELS.values(), strict=True):
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("epoch", fontsize=10)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.9")
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside right center", fontsize=10, frameon=False, handlelength=3.2)
    return figure


def label(runs: Runs) -> str:
    """From the key, not the row: a key is part of the paths that a figure reads, so a new name redraws it."""
    short = runs.key.removeprefix(f"{runs.dataset}-")
    return f"{short}{' (teacher)' if runs.kind == 'teachers' else ''}: {runs.model}"


def looks(params: Params, drawn: list[Runs]) -> list[dict[str, Any]]:
    """How each run is drawn: teachers black; a student's colour is its model's, in every figure alike."""
    found: list[dict[str, Any]] = []
    seen: list[tuple[str, str]] = []
    for runs in drawn:
        student = runs.kind == "students"
        alone = student and params.experiments[runs.key].teacher is None
        marker = MARKERS[seen.count((runs.kind, runs.model)) % len(MARKERS)]
        seen.append((runs.kind, runs.model))
        colour = COLOURS[(models.known().index(runs.model) - 1) % len(COLOURS)] if student else "black"
        found.append({"color": colour, "linestyle": "--" if alone else "-", "marker": marker, "markersize": 5})
    return found


def read_history(path: Path) -> pd.DataFrame:
    """Columns `epoch` and those of PANELS, a row an epoch."""
    try:
        return pd.read_csv(path)[["epoch", *PANELS]].astype(float)
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; build it with: snakemake --cores 4 {path}") from None
    except (KeyError, ValueError):
        raise CellarError(f"{path} is not a training history; remove it and build it again") from None
