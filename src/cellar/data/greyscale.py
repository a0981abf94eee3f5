"""Colour images turned grey, as Pillow's mode L has it: 0.299 red, 0.587 green, 0.114 blue."""

import numpy as np
from PIL import Image


def to_grey(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, 3) -> the same shape, three equal channels; (N, H, W) is grey already."""
    if images.ndim == 3:
        return images
    grey = np.empty_like(images)
    for row, image in enumerate(images):
        grey[row] = np.asarray(Image.fromarray(image).convert("L"))[..., None]
    return grey
