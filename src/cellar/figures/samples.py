"""Sample images: a few of each class of several data sets, or one of each of many classes."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellar import files, paths
from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.runs import images

PER_CLASS = 2  # images in a row of classes
COLUMNS = 10  # of a grid of classes


def rows_of_classes(params: Params, names: list[str], title: str) -> Figure:
    """A block for each data set: the first test images of each class, a column for each class."""
    figure = Figure(figsize=(8.4, 2.5 * len(names) + 0.4), layout="constrained")
    figure.suptitle(caption(params, title), fontsize=12)
    for block, name in zip(figure.subfigures(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        block.supylabel(name, fontsize=11)
        arrays, labels = read_prepared(name)
        grid = block.subplots(PER_CLASS, len(labels), squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.02})
        for label, name_of_class in enumerate(labels):
            grid[0][label].set_title(name_of_class, fontsize=11)
            show_first(grid[:, label], arrays, label)
    return figure


def grid_of_classes(params: Params, dataset: str) -> Figure:
    """The first test image of every class, under its name, in the order of the labels."""
    arrays, labels = read_prepared(dataset)
    rows = -(-len(labels) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * 1.02, rows * 1.28 + 0.5))
    text = f"One test image of each of the {len(labels)} classes of {dataset}"
    figure.suptitle(caption(params, text), fontsize=12, y=1 - 0.15 / figure.get_figheight(), va="top")
    top = 1 - 0.7 / figure.get_figheight()
    spaces = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": top, "wspace": 0.12, "hspace": 0.36}
    grid = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=spaces)
    for label, axes in enumerate(grid.flat):
        show_first([axes], arrays, label)
        if label < len(labels):
            axes.set_title(fill(labels[label].replace("_", " "), 18), fontsize=7, pad=3)
    return figure


def show_first(panels: list[Axes] | np.ndarray, arrays: dict[str, np.ndarray], label: int) -> None:
    """The first test images of a class, one to a panel; panels left over stay empty."""
    chosen = np.flatnonzero((arrays["split"] == "test") & (arrays["labels"] == label))[: len(panels)]
    for axes in panels:
        axes.set_axis_off()
    for axes, index in zip(panels, chosen, strict=False):
        axes.imshow(arrays["images"][index], cmap="gray", vmin=0, vmax=255)


def read_prepared(dataset: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of a prepared set and its classes in label order."""
    arrays_file, manifest_file = images(dataset)
    arrays, manifest = files.read_arrays(arrays_file), files.read_json(manifest_file)
    if not {"images", "labels", "split"} <= arrays.keys() or "classes" not in manifest:
        folder = paths.prepared(dataset)
        raise CellarError(f"{folder} is not a prepared data set; remove the folder and prepare it again")
    return arrays, manifest["classes"]
