"""Eyes, nose and mouth of a face that fills its image (small-dataset study, section 3), cut by fixed proportions.

The study does not say how its parts were cut; nobody looks for landmarks here, so a turned face loses an eye.
"""

import numpy as np
from PIL import Image

PARTS = {  # left, top, right, bottom, as shares of the image's width and height
    "eyes": (0.15, 0.28, 0.85, 0.50),
    "nose": (0.34, 0.42, 0.66, 0.68),
    "mouth": (0.25, 0.62, 0.75, 0.86),
}


def cut_parts(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of N faces, and which part each is: all eyes first, then all noses, then all mouths.

    images (N, H, W, 3) uint8 -> (3 N, H // 2, W // 2, 3) uint8, scaled to one size, so not in proportion; and the
    parts' names (3 N,).
    """
    height, width = images.shape[1] // 2, images.shape[2] // 2
    faces = [Image.fromarray(image) for image in images]
    boxes = [pixels(box, images.shape[2], images.shape[1]) for box in PARTS.values()]
    cut = [face.resize((width, height), Image.Resampling.BILINEAR, box=box) for box in boxes for face in faces]
    return np.stack([np.asarray(part) for part in cut]), np.repeat(list(PARTS), len(images))


def pixels(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """A box of PARTS in whole pixels of an image."""
    left, top, right, bottom = box
    return round(left * width), round(top * height), round(right * width), round(bottom * height)


def faces_to_cut(labels: np.ndarray, split: np.ndarray, count: int) -> np.ndarray:
    """Which images to cut: the first test image of every identity in turn, then their second ones, until `count`.

    labels (N,) int, split (N,) of a prepared set -> rows (count,), fewer where there are fewer test images.
    """
    index = np.flatnonzero(split == "test")
    order = np.argsort(labels[index], kind="stable")
    seen = np.empty(len(index), np.int64)  # how many images of its identity come before
    for rows in np.split(order, np.flatnonzero(np.diff(labels[index][order])) + 1):
        seen[rows] = np.arange(len(rows))
    return index[np.lexsort((labels[index], seen))][:count]
