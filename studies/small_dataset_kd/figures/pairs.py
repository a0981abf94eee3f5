"""Figure 4: two faces of one identity and two of different ones, and their dissimilarity.

That is the squared distance of their embeddings, the one in the triplet loss (eq. 1); the paper does not say.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure

from cellar import files
from cellar.config import Params
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.samples import read_prepared

from ..printed import DATASET
from . import one_shot_runs

SAME, OTHER = "one identity", "two identities"


def face_pairs(params: Params) -> Figure:
    """The first test triplet, whichever way it came out: anchor and positive, anchor and negative."""
    runs = one_shot_runs(params)
    assert runs, "pins_fig_4 is known only where there is a line of triplets"
    arrays, names = read_prepared(DATASET)
    path = Path(runs.prediction_files()[0])
    rows, distances = first_triplet(path, len(arrays["images"]))
    near, far = distances
    figure = Figure(figsize=(9.4, 3.5), layout="constrained")
    way = "told rightly" if near < far else "told wrongly: the other identity is nearer"
    text = f"{runs.key}, {runs.model}: the first test triplet, {way}\nDissimilarity: squared distance of embeddings"
    figure.suptitle(caption(params, text), fontsize=11)
    pairs = [(SAME, rows[[0, 1]], near), (OTHER, rows[[0, 2]], far)]
    blocks = figure.subfigures(1, 2, squeeze=False)[0]
    for block, (kind, pair, distance) in zip(blocks, pairs, strict=True):
        block.suptitle(f"{kind}: dissimilarity {distance:.2f}", fontsize=12)
        show_pair(block, arrays["images"][pair], [names[label] for label in arrays["labels"][pair]])
    return figure


def show_pair(block: SubFigure, images: np.ndarray, names: list[str]) -> None:
    for axes, image, name in zip(block.subplots(1, 2), images, names, strict=True):
        axes.imshow(image)
        axes.set_axis_off()
        axes.set_title(name.removeprefix("pins_"), fontsize=10)


def first_triplet(path: Path, images: int) -> tuple[np.ndarray, list[float]]:
    """Rows (3,) of anchor, positive and negative in the prepared set, and the anchor's two squared distances."""
    arrays = files.read_arrays(path)
    index, distances = arrays.get("index"), arrays.get("distances")
    fits = index is not None and distances is not None and len(index) == len(distances) > 0
    if not fits or index is None or distances is None or index.shape[1:] != (3,) or distances.shape[1:] != (2,):
        raise CellarError(f"{path} holds no triplets; remove it and build it again")
    if index.max() >= images:
        raise CellarError(f"{path} names images that {DATASET} does not have; remove it and build it again")
    return index[0], [float(value) for value in distances[0]]
