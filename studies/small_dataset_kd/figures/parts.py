"""Figures 2 and 3: parts cut from faces, and a map of a network's activations to them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cellar import files, paths
from cellar.config import Params
from cellar.data.face_parts import PARTS, cut_parts, faces_to_cut
from cellar.errors import CellarError
from cellar.figures.captions import caption
from cellar.figures.samples import read_prepared
from cellar.seeding import derive

from ..printed import DATASET
from . import teacher_of_parts

FACES = 6  # shown in figure 2; figure 3 takes 20
SIDE = 1.35  # of a picture, in inches
COLOURS = {"eyes": "#0072B2", "nose": "#D55E00", "mouth": "#009E73"}  # Okabe and Ito's, safe for colour blindness
MARKERS = {"eyes": "o", "nose": "^", "mouth": "s"}
PERPLEXITY = 15  # neighbours that count; 20 parts of each kind
PANELS = {"untrained": "untrained, random weights", "trained": "trained"}
SEED = 0


def face_parts(params: Params) -> Figure:
    """The first test face of some identities with its boxes, and below it what they cut."""
    arrays, _ = read_prepared(DATASET)
    faces = arrays["images"][faces_to_cut(arrays["labels"], arrays["split"], FACES)]
    if not len(faces):
        raise CellarError(
            f"{paths.prepared(DATASET)} has no test image; prepare {DATASET} again with images to test on"
        )
    parts, _ = cut_parts(faces)
    figure = Figure(figsize=(SIDE * max(len(faces), 5) + 0.3, SIDE * (1 + len(PARTS)) + 0.6), layout="constrained")
    text = "Parts of test faces: fixed boxes, the same shares\nof every image, no landmarks; scaled to one size"
    figure.suptitle(caption(params, text), fontsize=11)
    spaces = {"wspace": 0.02, "hspace": 0.02}
    grid = figure.subplots(1 + len(PARTS), len(faces), squeeze=False, gridspec_kw=spaces)
    for column, face in enumerate(faces):
        show(grid[0][column], face)
        draw_boxes(grid[0][column], face.shape[1], face.shape[0])
    for row, name in enumerate(PARTS):
        for column in range(len(faces)):
            show(grid[1 + row][column], parts[row * len(faces) + column])
        grid[1 + row][0].set_ylabel(name, fontsize=11, color=COLOURS[name])
    return figure


def show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def draw_boxes(axes: Axes, width: int, height: int) -> None:
    for name, (left, top, right, bottom) in PARTS.items():
        corner = (left * width - 0.5, top * height - 0.5)
        size = ((right - left) * width, (bottom - top) * height)
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=COLOURS[name], linewidth=1.6))


def part_map(params: Params) -> Figure:
    """t-SNE of penultimate activations of the parts, of an untrained network and of the teacher."""
    teacher = teacher_of_parts(params)
    assert teacher, "pins_fig_3 is known only where there is a teacher"
    arrays = read_activations(teacher)
    figure = Figure(figsize=(9.4, 4.9), layout="constrained")
    text = f"t-SNE of activations on parts of faces, {teacher}: {params.teacher(teacher).model}"
    figure.suptitle(caption(params, text), fontsize=11)
    for axes, (name, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        scatter(axes, embed(arrays[name]), arrays["part"])
        axes.set_title(
            f"{title}\nsilhouette of the parts, before t-SNE: {apart(arrays[name], arrays['part'])}", fontsize=10
        )
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(PARTS), fontsize=10, frameon=False)
    return figure


def scatter(axes: Axes, points: np.ndarray, part: np.ndarray) -> None:
    """points (N, 2); t-SNE's axes have no unit and no direction."""
    for name in PARTS:
        x, y = points[part == name].T
        axes.scatter(x, y, s=34, color=COLOURS[name], marker=MARKERS[name], label=name, alpha=0.85)
    axes.set_xticks([])
    axes.set_yticks([])


def embed(activations: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2), by scikit-learn's exact t-SNE of one seed."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(activations) - 1) / 3)
    seed = derive(SEED, "t-sne") % 2**32
    model = TSNE(perplexity=perplexity, init="random", method="exact", random_state=seed)
    points: np.ndarray = model.fit_transform(activations.astype(np.float64))
    return points


def apart(activations: np.ndarray, part: np.ndarray) -> str:
    """How far the parts lie from each other: 1 apart, 0 mixed, by scikit-learn's silhouette."""
    from sklearn.metrics import silhouette_score

    return f"{silhouette_score(activations.astype(np.float64), part):.2f}"


def read_activations(teacher: str) -> dict[str, np.ndarray]:
    """untrained and trained (N, D), part (N,) names. Raises CellarError when they are something else."""
    path = paths.part_activations(teacher)
    arrays = files.read_arrays(path)
    fits = {*PANELS, "part"} <= arrays.keys()
    fits = fits and all(arrays[name].ndim == 2 and len(arrays[name]) == len(arrays["part"]) for name in PANELS)
    if not fits or set(arrays["part"].tolist()) != set(PARTS):
        raise CellarError(f"{path} holds no activations of {', '.join(PARTS)}; remove it and build it again")
    if not all(np.isfinite(arrays[name]).all() for name in PANELS):
        raise CellarError(f"{path} holds activations that are not finite; look at the training of {teacher}")
    return arrays
