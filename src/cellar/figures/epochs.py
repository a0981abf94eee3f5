"""A metric that was evaluated after every epoch, on each split that was watched."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.curves import read_history
from cellar.figures.runs import history
from cellar.tables.runs import Runs

SPLITS = {"train": "#0072B2", "validation": "#E69F00", "test": "#D55E00"}  # Okabe and Ito's
DASHES = {"train": "-", "validation": "--", "test": "-"}


def epoch_curves(params: Params, runs: Runs, title: str, metric: str) -> Figure:
    """One curve for each watched split, of the first seed; the epoch whose weights were saved is dotted.

    `metric`: a column of history.csv without its split, such as `f1` of `train_f1`.
    """
    rows, splits = read_watched(history(runs), metric)
    drawn = Figure(figsize=(8.2, 4.6), layout="constrained")
    drawn.suptitle(caption(params, f"{title}\n{runs.key}: {runs.model}, seed {runs.seeds[0]}"), fontsize=11)
    axes = drawn.subplots()
    for split in splits:
        values, look = rows[f"{split}_{metric}"], DASHES[split]
        axes.plot(rows["epoch"], values, look, color=SPLITS[split], marker="o", markersize=3, label=split)
    for n, epoch in enumerate(rows["epoch"][rows["chosen"] == 1]):
        label = "chosen epoch" if n == 0 else None
        axes.axvline(float(epoch), color="0.35", linestyle=":", linewidth=1.2, label=label)
    dress(axes, title)
    return drawn


def dress(axes: Axes, title: str) -> None:
    axes.set_xlabel("epoch", fontsize=10)
    axes.set_ylabel(title.rpartition(": ")[2], fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
    axes.legend(loc="best", fontsize=10, frameon=False)


def read_watched(path: Path, metric: str) -> tuple[pd.DataFrame, list[str]]:
    """The history, and the splits that it has values of, such as `train` where it has `train_f1`."""
    read_history(path, ["epoch", "chosen"])  # raises what a history lacks
    rows = pd.read_csv(path)
    columns = {split: f"{split}_{metric}" for split in SPLITS}
    watched = [split for split, column in columns.items() if column in rows and rows[column].notna().any()]
    if not watched:
        raise CellarError(f"{path} has none of {', '.join(columns.values())}; remove it and train this line again")
    return rows, watched
