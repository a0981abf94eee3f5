"""Images of nothing: nearly constant ones; in sets of faces, drawn placeholders ("image removed") too."""

import numpy as np

EMPTY_BELOW = 5.0  # standard deviation of the grey values, of 255
PLACEHOLDER_FROM = 0.4  # of the pixels have one and the same grey value


def nearly_constant(small: np.ndarray) -> np.ndarray:
    """bool (N,) of thumbnails (N, 32, 32)."""
    flat: np.ndarray = small.reshape(len(small), -1).std(axis=1, dtype=np.float64) < EMPTY_BELOW
    return flat


def placeholders(small: np.ndarray) -> np.ndarray:
    """bool (N,): pictures that one grey value fills, and that are not nearly constant.

    Meant for photographs of faces: an object on a white ground looks the same.
    """
    common = [np.bincount(picture.ravel()).max() / picture.size >= PLACEHOLDER_FROM for picture in small]
    filled: np.ndarray = np.array(common, dtype=bool) & ~nearly_constant(small)
    return filled
