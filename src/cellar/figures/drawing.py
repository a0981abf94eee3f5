"""The figures, by matplotlib. Same inputs, same bytes: no date and no version is written into the PNG."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellar import files, paths
from cellar.errors import CellarError
from cellar.figures import confused, history, known, lines, sampled
from cellar.params import Params, likely
from cellar.tables.runs import Runs

PER_CLASS = 2  # sample images of figure 3
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito, for all kinds of sight


def draw(figure: str, params: Params) -> None:
    """Write results/figures/<figure>.png."""
    if figure not in known(params):
        raise CellarError(
            f"there is no figure {figure!r}{likely(figure, known(params))}; known: {', '.join(known(params))}"
        )
    painters: dict[str, Callable[[Params], Figure]] = {"fig_3": samples, "fig_4": confusions}
    drawn = painters[figure](params) if figure in painters else curves(params, figure.removeprefix("curves_"))
    path = paths.FIGURES / f"{figure}.png"
    files.write_with(path, lambda file: drawn.savefig(file, format="png", dpi=150, metadata={"Software": None}))


def caption(params: Params, text: str) -> str:
    return f"{text} ({'drawn faces, ' if params.scale.drawn else ''}scale {params.scale.name})"


def samples(params: Params) -> Figure:
    """Figure 3: images of the seven classes, the first of each class in the test split."""
    names = sampled(params)
    figure = Figure(figsize=(8.4, 1.3 * PER_CLASS * len(names) + 0.7), layout="constrained")
    figure.suptitle(caption(params, "The seven emotion classes"), fontsize=10)
    grid = figure.subplots(PER_CLASS * len(names), 7, squeeze=False)
    for top, name in zip(grid[::PER_CLASS], range(len(names)), strict=True):
        arrays = files.read_arrays(paths.prepared(names[name]) / "arrays.npz")
        classes = files.read_json(paths.prepared(names[name]) / "manifest.json")["classes"]
        top[0].set_ylabel(names[name], fontsize=9)
        for label, emotion in enumerate(classes):
            chosen = np.flatnonzero((arrays["split"] == "test") & (arrays["labels"] == label))[:PER_CLASS]
            for row, index in enumerate(chosen):
                show_image(grid[name * PER_CLASS + row][label], arrays["images"][index], emotion if row == 0 else "")
    return figure


def show_image(axes: Axes, image: np.ndarray, title: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=9)


def confusions(params: Params) -> Figure:
    """Figure 4: confusion matrices of the students on FER2013's test split, rows normalised."""
    shown = confused(params)
    figure = Figure(figsize=(4.3 * len(shown), 5.4), layout="constrained")
    figure.suptitle(
        caption(params, "FER2013 test split: true class (rows), predicted class (columns), % of the row"), fontsize=10
    )
    for axes, runs in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        show_matrix(axes, files.read_json(Path(runs.metrics_files()[0])), runs)
    return figure


def show_matrix(axes: Axes, scores: dict[str, Any], runs: Runs) -> None:
    counts, classes = np.array(scores["confusion"]), list(scores["per_class"])
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        tone = "white" if share > 55 else "black"
        axes.text(
            column, row, f"{share:.0f}\n({counts[row, column]})", ha="center", va="center", fontsize=6.5, color=tone
        )
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(classes)), classes, fontsize=8)
    axes.set_title(f"{runs.key}, {runs.model}\naccuracy {scores['accuracy']:.2f} % of {scores['n']:,}", fontsize=9)


def curves(params: Params, dataset: str) -> Figure:
    """Training loss and validation accuracy of every run of a data set, by epoch; dashed: without a teacher."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.suptitle(caption(params, f"Training on {dataset}"), fontsize=10)
    loss, accuracy = figure.subplots(1, 2)
    models = sorted({runs.model for runs in lines(params, dataset).values()})
    for label, runs in lines(params, dataset).items():
        rows = read_history(history(runs))
        alone = runs.kind == "students" and params.experiments[runs.key].teacher is None
        style = {"color": "black" if runs.kind == "teachers" else COLOURS[models.index(runs.model) % len(COLOURS)]}
        for axes, column in ((loss, "train_loss"), (accuracy, "validation_accuracy")):
            axes.plot(rows["epoch"], rows[column], linestyle="--" if alone else "-", marker=".", label=label, **style)
    for axes, title in ((loss, "training loss (methods differ in scale)"), (accuracy, "validation accuracy (%)")):
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("epoch", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*accuracy.get_legend_handles_labels(), loc="outside right center", fontsize=8, frameon=False)
    return figure


def read_history(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; build it with: snakemake --cores 4 {path}") from None
