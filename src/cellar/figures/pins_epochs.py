"""Figures 8, 9 and 10 of the small-dataset study: one-shot accuracy and loss, feature KD's macro F1, by epoch."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures import EPOCH_FIGURES, PINS, history
from cellar.figures.captions import caption
from cellar.figures.curves import read_history
from cellar.tables.runs import student_runs

SHOWN = {  # figure -> what it is called, and the columns of history.csv without their split
    "pins_fig_8": ("One-shot accuracy: share of triplets (%)", "accuracy"),
    "pins_fig_9": ("One-shot loss: triplet loss", "loss"),
    "pins_fig_10": ("Feature KD with BCE, last layer: macro F1 (%)", "f1"),
}
SPLITS = {"train": "#0072B2", "validation": "#E69F00", "test": "#D55E00"}  # Okabe and Ito's
DASHES = {"train": "-", "validation": "--", "test": "-"}


def epoch_curves(params: Params, figure: str) -> Figure:
    """A line a split that was watched; the epoch whose weights were kept is dotted. Of the first seed."""
    runs = student_runs(params, PINS, EPOCH_FIGURES[figure])
    assert runs, f"{figure} is known only where its student is listed"
    text, ending = SHOWN[figure]
    rows, splits = read_watched(history(runs), ending)
    drawn = Figure(figsize=(8.2, 4.6), layout="constrained")
    drawn.suptitle(caption(params, f"{text}\n{runs.key}: {runs.model}, seed {runs.seeds[0]}"), fontsize=11)
    axes = drawn.subplots()
    for split in splits:
        values, look = rows[f"{split}_{ending}"], DASHES[split]
        axes.plot(rows["epoch"], values, look, color=SPLITS[split], marker="o", markersize=3, label=split)
    for n, epoch in enumerate(rows["epoch"][rows["chosen"] == 1]):
        label = "chosen epoch" if n == 0 else None
        axes.axvline(float(epoch), color="0.35", linestyle=":", linewidth=1.2, label=label)
    dress(axes, text)
    return drawn


def dress(axes: Axes, text: str) -> None:
    axes.set_xlabel("epoch", fontsize=10)
    axes.set_ylabel(text.rpartition(": ")[2], fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
    axes.legend(loc="best", fontsize=10, frameon=False)


def read_watched(path: Path, ending: str) -> tuple[pd.DataFrame, list[str]]:
    """The history, and the splits that it has values of, such as `train` where `train_f1` is watched."""
    read_history(path, ["epoch", "chosen"])  # raises what a history lacks
    rows = pd.read_csv(path)
    columns = {split: f"{split}_{ending}" for split in SPLITS}
    watched = [split for split, column in columns.items() if column in rows and rows[column].notna().any()]
    if not watched:
        raise CellarError(f"{path} has none of {', '.join(columns.values())}; remove it and train this line again")
    return rows, watched
