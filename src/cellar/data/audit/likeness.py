"""How alike two small pictures are, pixel by pixel: the highest normalised correlation over small shifts."""

import numpy as np

from cellar.data.audit.hashes import SIDE

SHIFT = 2  # pixels of a thumbnail, each way
WINDOW = SIDE - 2 * SHIFT
SHIFTS = [(down, across) for down in range(2 * SHIFT + 1) for across in range(2 * SHIFT + 1)]
BATCH = 1024


def likeness(small: np.ndarray, norms: np.ndarray, first: np.ndarray, second: np.ndarray, mirrored: bool) -> np.ndarray:
    """Of each pair of rows: the middle of one picture, mirrored or not, against 25 windows of the other, and the other
    way round, so that the answer is the same whichever comes first.

    small uint8 (N, 32, 32), norms as `window_norms` gives them; first, second (P,) -> float32 (P,) from -1 to 1.
    """
    parts = [np.empty(0, np.float32)]
    for start in range(0, len(first), BATCH):
        one, other = first[start : start + BATCH], second[start : start + BATCH]
        ways = [
            best_match(middles(small[a], mirrored), small[b].astype(np.float32), norms[b])
            for a, b in ((one, other), (other, one))
        ]
        parts.append(np.maximum(*ways))
    return np.concatenate(parts)


def middles(pictures: np.ndarray, mirrored: bool) -> np.ndarray:
    """The middle 28 x 28 of each, of mean 0 and length 1: float32 (P, 28, 28)."""
    turned = pictures[:, :, ::-1] if mirrored else pictures
    middle: np.ndarray = turned[:, SHIFT:-SHIFT, SHIFT:-SHIFT].astype(np.float32)
    middle -= middle.mean((1, 2), keepdims=True)
    length = np.sqrt(np.einsum("pij,pij->p", middle, middle))
    middle /= np.maximum(length, 1)[:, None, None]
    return middle


def best_match(middle: np.ndarray, others: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """middle (P, 28, 28), others (P, 32, 32), norms (P, 5, 5) -> (P,)."""
    best = np.full(len(middle), -1, np.float32)
    for down, across in SHIFTS:
        window = others[:, down : down + WINDOW, across : across + WINDOW]
        found = np.einsum("pij,pij->p", middle, window) / np.maximum(norms[:, down, across], 1)
        best = np.maximum(best, found.astype(np.float32))
    return best


def window_norms(small: np.ndarray) -> np.ndarray:
    """Length of each of the 25 windows of a picture after its mean is taken off: float32 (N, 5, 5)."""
    norms = np.empty((len(small), 2 * SHIFT + 1, 2 * SHIFT + 1), np.float32)
    for start in range(0, len(small), BATCH):
        pixels = small[start : start + BATCH].astype(np.int64)
        sums, squares = window_sums(pixels), window_sums(pixels**2)
        norms[start : start + BATCH] = np.sqrt(squares - sums**2 / WINDOW**2)
    return norms


def window_sums(pixels: np.ndarray) -> np.ndarray:
    """Sums over each window, by an integral image: int64 (N, 32, 32) -> (N, 5, 5)."""
    total = np.pad(pixels.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    below, above = total[:, WINDOW:], total[:, :-WINDOW]
    sums: np.ndarray = below[:, :, WINDOW:] - below[:, :, :-WINDOW] - above[:, :, WINDOW:] + above[:, :, :-WINDOW]
    return sums
