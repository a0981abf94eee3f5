"""Training curves: loss and validation accuracy of every run of a data set, by epoch."""

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellar import models
from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.runs import curves_of, history
from cellar.tables.runs import Runs

# Of the networks of a figure in their order; six are Okabe and Ito's, the others Paul Tol's, safe for colour blindness.
COLOURS = ("#D55E00", "#009E73", "#0072B2", "#CC79A7", "#E69F00", "#56B4E9", "#882255",
           "#332288", "#DDCC77", "#117733", "#999933", "#44AA99", "#661100")  # fmt: skip
MARKERS = "os^Dv*XP"  # tell the runs of one model apart
PANELS = {"train_loss": "training loss (methods differ in scale)", "validation_accuracy": "validation accuracy (%)"}
UNSEEN = "\n(no validation images)"


def curves(params: Params, dataset: str) -> Figure:
    """Of the first seed of each run; dashed: without a teacher. Runs trained on the validation images have no accuracy."""
    figure = Figure(figsize=(11.5, 4.6), layout="constrained")
    text = f"Training on {dataset}, first seed of each; dashed: without a teacher"
    figure.suptitle(caption(params, text), fontsize=12)
    panels = figure.subplots(1, len(PANELS))
    drawn = curves_of(params, dataset)
    histories = [read_history(history(runs), ["epoch", *PANELS]) for runs in drawn]
    blind = [bool(rows["validation_accuracy"].isna().all()) for rows in histories]
    for runs, rows, look, unseen in zip(drawn, histories, looks(params, drawn), blind, strict=True):
        sparse = max(1, len(rows) // 10)
        name = label(runs) + (UNSEEN if unseen and not all(blind) else "")
        for axes, column in zip(panels, PANELS, strict=True):
            axes.plot(rows["epoch"], rows[column], label=name, markevery=sparse, **look)
    for axes, title in zip(panels, PANELS.values(), strict=True):
        dress(axes, title)
    if all(blind):
        leave_empty(panels[1], "no validation images:\nevery run was trained on them")
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside right center", fontsize=10, frameon=False, handlelength=3.2)
    return figure


def dress(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("epoch", fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")


def leave_empty(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center")
    axes.set_xticks([])
    axes.set_yticks([])


def label(runs: Runs) -> str:
    """From the key, not the row: a key is part of the paths that a figure reads, so a new name redraws it."""
    short = runs.key.removeprefix(f"{runs.dataset}-")
    return f"{short}{' (teacher)' if runs.kind == 'teachers' else ''}: {runs.model}"


def colours_of(drawn: list[Runs]) -> dict[str, str]:
    """Network → colour, of the students in their order; after the last colour they begin anew."""
    networks = dict.fromkeys(models.parse(runs.model)[0] for runs in drawn if runs.kind == "students")
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(networks)}


def looks(params: Params, drawn: list[Runs]) -> list[dict[str, Any]]:
    """How each run is drawn: teachers black; students of one network have one colour."""
    colours = colours_of(drawn)
    styles: list[dict[str, Any]] = []
    seen: list[tuple[str, str]] = []
    for runs in drawn:
        student = runs.kind == "students"
        alone = student and params.experiments[runs.key].teacher is None
        marker = MARKERS[seen.count((runs.kind, runs.model)) % len(MARKERS)]
        seen.append((runs.kind, runs.model))
        colour = colours[models.parse(runs.model)[0]] if student else "black"
        styles.append({"color": colour, "linestyle": "--" if alone else "-", "marker": marker, "markersize": 5})
    return styles


def read_history(path: Path, columns: list[str]) -> pd.DataFrame:
    """These columns of a training's history.csv, a row an epoch; what was not measured is NaN."""
    try:
        return pd.read_csv(path)[columns].astype(float)
    except FileNotFoundError:
        raise CellarError(f"{path} does not exist; build it with: snakemake --cores 4 {path}") from None
    except (KeyError, ValueError):
        raise CellarError(f"{path} is not a training history; remove it and build it again") from None
