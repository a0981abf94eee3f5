"""The training loss of every step, for all seeds of an experiment."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellar import files
from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.curves import read_history
from cellar.figures.runs import history, loss_files
from cellar.tables.runs import Runs

MARKED = 20  # drops of the learning rate that are still readable as marks; with more, none is marked


def step_losses(params: Params, runs: Runs, title: str) -> Figure:
    """A thin line for each seed, a point for the mean of each epoch; drops of the learning rate are dotted."""
    losses = [read_losses(path) for path in loss_files(runs)]
    rates = read_history(history(runs), ["learning_rate"])["learning_rate"].to_numpy()
    if not len(rates) or len(losses[0]) % len(rates):
        raise CellarError(
            f"{loss_files(runs)[0]} and {history(runs)} are of different epochs; train this experiment again"
        )
    figure = Figure(figsize=(9.4, 4.8), layout="constrained")
    text = f"Training loss {title}, {runs.key}: {len(losses)} {'runs' if len(losses) > 1 else 'run'}"
    figure.suptitle(caption(params, text), fontsize=12)
    axes = figure.subplots()
    for seed, loss in zip(runs.seeds, losses, strict=True):
        axes.plot(np.arange(1, len(loss) + 1), loss, linewidth=0.5, alpha=0.6, label=f"seed {seed}")
    show_mean(axes, losses, len(losses[0]) // len(rates))
    dress(axes, len(losses[0]) / len(rates), rates)
    return figure


def show_mean(axes: Axes, losses: list[np.ndarray], steps_an_epoch: int) -> None:
    """Over the steps of an epoch and over the runs, as far as all of them went; drawn in the middle of its epoch."""
    epochs = min(map(len, losses)) // steps_an_epoch
    means = [loss[: epochs * steps_an_epoch].reshape(epochs, steps_an_epoch).mean(axis=1) for loss in losses]
    middles = (np.arange(epochs) + 0.5) * steps_an_epoch + 0.5
    mean = np.mean(means, axis=0)
    axes.plot(middles, mean, color="black", linewidth=1.6, marker="o", markersize=3, label="mean of an epoch")


def dress(axes: Axes, steps_an_epoch: float, rates: np.ndarray) -> None:
    """`rates`: the learning rate of every epoch (epochs,)."""
    axes.set_xlabel("step", fontsize=10)
    axes.set_ylabel("loss of a step's batch", fontsize=10)
    axes.set_xlim(0, len(rates) * steps_an_epoch)
    axes.grid(axis="y", color="0.9")
    falls = np.flatnonzero(np.diff(rates) < 0) + 1
    for n, epoch in enumerate(falls if len(falls) <= MARKED else []):
        label = None if n else "learning rate falls"
        axes.axvline(float(epoch) * steps_an_epoch, color="0.35", linestyle=":", linewidth=1, label=label)
    above = axes.twiny()
    above.set_xlim(0, len(rates))
    above.xaxis.set_major_locator(MaxNLocator(integer=True))
    above.set_xlabel("epochs done", fontsize=10)
    legend = axes.legend(loc="upper right", fontsize=9, frameon=False)
    for line in legend.get_lines():
        line.set(linewidth=1.4, alpha=1)


def read_losses(path: Path) -> np.ndarray:
    """The loss of every step (steps,)."""
    loss = files.read_arrays(path).get("loss")
    if loss is None or loss.ndim != 1 or not len(loss):
        raise CellarError(f"{path} holds no losses of steps; remove it and train again")
    return loss
