"""Ten outlines for drawn objects, and how far any point is from each: one table a shape, looked up often."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

EXTENT = 2.0  # a table reaches this far from the middle; outlines lie within 1
CELLS = 256  # a side of a table
TURN = np.linspace(0, 2 * np.pi, 73)[:-1]


def polygon(corners: int, start: float = -np.pi / 2) -> np.ndarray:
    angle = start + 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def star() -> np.ndarray:
    return polygon(10) * np.where(np.arange(10) % 2, 0.42, 1.0)[:, None]


def heart() -> np.ndarray:
    x = 16 * np.sin(TURN) ** 3
    y = 13 * np.cos(TURN) - 5 * np.cos(2 * TURN) - 2 * np.cos(3 * TURN) - np.cos(4 * TURN)
    return np.stack([x, -y - 2.5], 1) / 16


CIRCLE = polygon(72)
CROSS = np.array([[1, 0.33], [0.33, 0.33], [0.33, 1]])
CROSS = np.concatenate([CROSS, CROSS[::-1] * [-1, 1], -CROSS, CROSS[::-1] * [1, -1]])
ARROW = np.array([[1, 0], [0.1, 0.85], [0.1, 0.32], [-1, 0.32], [-1, -0.32], [0.1, -0.32], [0.1, -0.85]])
HOURGLASS = np.array([[-0.8, -0.9], [0.8, -0.9], [0.13, 0], [0.8, 0.9], [-0.8, 0.9], [-0.13, 0]])

# name -> (filled, cut out of it); x right, y down, within 1 of the middle
OUTLINES: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
    "arrow": (ARROW, None),
    "crescent": (CIRCLE, CIRCLE * 0.85 + [0.55, 0]),
    "cross": (CROSS, None),
    "disc": (CIRCLE * 0.9, None),
    "heart": (heart(), None),
    "hourglass": (HOURGLASS, None),
    "ring": (CIRCLE, CIRCLE * 0.52),
    "square": (polygon(4, np.pi / 4) * 1.15, None),
    "star": (star(), None),
    "triangle": (polygon(3) * 1.1 + [0, 0.15], None),
}


@cache
def distance_table(shape: str) -> np.ndarray:
    """Signed distance to the outline of `shape`, negative inside: float32 (CELLS, CELLS), rows are y."""
    from scipy.ndimage import distance_transform_edt  # a third of a second to import, needed here only

    filled, cut = OUTLINES[shape]
    picture = Image.new("1", (CELLS, CELLS))
    draw = ImageDraw.Draw(picture)
    draw.polygon(list(map(tuple, to_cells(filled).tolist())), fill=1)
    if cut is not None:
        draw.polygon(list(map(tuple, to_cells(cut).tolist())), fill=0)
    inside = np.asarray(picture)
    cells = distance_transform_edt(~inside) - distance_transform_edt(inside)
    table: np.ndarray = (cells * (2 * EXTENT / CELLS)).astype(np.float32)
    return table


def to_cells(points: np.ndarray) -> np.ndarray:
    return (points / EXTENT + 1) * (CELLS / 2) - 0.5


def distance(shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far points lie outside `shape` (negative: inside), in its own unit: float32, of the form of x and y."""
    column = np.clip(np.rint(to_cells(x)), 0, CELLS - 1).astype(np.intp)
    row = np.clip(np.rint(to_cells(y)), 0, CELLS - 1).astype(np.intp)
    found: np.ndarray = distance_table(shape)[row, column]
    return found
