"""The worst pairs of an audit, side by side: the same picture in two splits under two classes first; and the least
similar that still count, by which the limits can be judged."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from cellar import paths
from cellar.config import Params
from cellar.data.audit.pairs import read_pairs
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.samples import read_prepared

if TYPE_CHECKING:
    import pandas as pd

COLUMNS, ROWS = 6, 3  # pairs in each block, at most
FEWEST = 3  # columns, for the titles' width
GAP = 0.06  # between the two images of a pair, of one image's width
LETTERS = 16  # of a class name


def audit_pairs(params: Params, dataset: str) -> Figure:
    path = paths.audit_pairs(dataset)
    pairs, (arrays, _) = read_pairs(path), read_prepared(dataset)
    if len(pairs) and pairs[["first", "second"]].to_numpy().max() >= len(arrays["images"]):
        raise CellarError(f"{path} names images that {dataset} does not have; remove it and build it again")
    near = pairs[pairs["kind"] != "exact"].sort_values(["likeness", "first", "second"])
    first, least = worst(pairs).head(COLUMNS * ROWS), one_a_group(near).head(COLUMNS * ROWS)
    blocks = {"The worst: first test images that are trained on, of them those of another class": first}
    if not least.index.isin(first.index).all():
        blocks["The least alike that count"] = least
    blocks = {title: some for title, some in blocks.items() if len(some)}
    columns = min(COLUMNS, max([FEWEST, *map(len, blocks.values())]))
    heights = [0.7 + 1.42 * -(-len(some) // columns) for some in blocks.values()]
    figure = Figure(figsize=(2.15 * columns, 0.6 + sum(heights)), layout="constrained")
    what = f"{len(pairs):,} pair{'s' * (len(pairs) > 1)} of duplicates" if len(pairs) else "no duplicates"
    figure.suptitle(caption(params, f"Audit of {dataset}: {what}"), fontsize=12)
    if blocks:
        parts = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0]
        for part, (title, some) in zip(parts, blocks.items(), strict=True):
            show_block(part, title, some, arrays["images"], columns)
    return figure


def worst(pairs: "pd.DataFrame") -> "pd.DataFrame":
    """One pair a group: across splits with the test set, then across others, then within one; of each of these, two
    classes before one; then the more alike."""
    one, other = pairs["first_split"], pairs["second_split"]
    harm = (one != other).astype(int) + ((one != other) & (other == "test")).astype(int)
    ranked = pairs.assign(harm=harm, conflict=pairs["first_class"] != pairs["second_class"])
    by, up = ["harm", "conflict", "likeness", "first", "second"], [False, False, False, True, True]
    return one_a_group(ranked.sort_values(by, ascending=up))


def one_a_group(pairs: "pd.DataFrame") -> "pd.DataFrame":
    return pairs.drop_duplicates("group")


def show_block(part: SubFigure, title: str, pairs: "pd.DataFrame", images: np.ndarray, columns: int) -> None:
    part.suptitle(title, fontsize=11)
    grid = part.subplots(-(-len(pairs) // columns), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, pair in zip(grid.flat, pairs.to_dict("records"), strict=False):
        show_pair(axes, pair, images)


def show_pair(axes: Axes, pair: Mapping[Hashable, Any], images: np.ndarray) -> None:
    """Both in one panel, with split and class over each; below, kind, distance and likeness."""
    for place, side in enumerate(("first", "second")):
        left = place * (1 + GAP)
        image = images[pair[side]]
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=(left, left + 1, 0, 1), interpolation="nearest")
        name = str(pair[f"{side}_class"]).replace("_", " ")[:LETTERS]
        axes.text(left + 0.5, 1.03, f"{pair[f'{side}_split']}\n{name}", ha="center", va="bottom", fontsize=7)
    text = "exact" if pair["kind"] == "exact" else f"{pair['kind']}, {pair['distance']} bits, {pair['likeness']:.3f}"
    axes.text(1 + GAP / 2, -0.04, text, ha="center", va="top", fontsize=7)
    axes.set_xlim(0, 2 + GAP)
    axes.set_ylim(0, 1)
