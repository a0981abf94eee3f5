"""Confusion matrices of several runs, rows normalised."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.tables.runs import Runs


def confusions(params: Params, shown: list[Runs], title: str) -> Figure:
    """From the metrics of the first seed of each run."""
    figure = Figure(figsize=(max(4.8 * len(shown), 7), 5.6), layout="constrained")
    figure.suptitle(caption(params, title), fontsize=12)
    for axes, runs in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        try:
            show_matrix(axes, runs.read_details()[0], runs)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CellarError(
                f"{runs.details_files()[0]} or its metrics file is not of an evaluation; remove both and build them again"
            ) from None
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
