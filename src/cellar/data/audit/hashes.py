"""Perceptual hashes: 64 bits of an image that survive another size, brightness, contrast, compression.

A bit is the sign of one of the 64 lowest frequencies (all but the mean) of the discrete cosine transform of a
small grey picture. Mirroring a picture turns the sign of the odd horizontal frequencies, and of no other.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.fft import dctn

SIDE = 32  # of the small pictures
BITS = 64
BLOCK = 128  # rows compared at once; times N distances of 8 bytes are in memory
BATCH = 4096

LOWEST = sorted((down + across, down, across) for down in range(12) for across in range(12) if down + across)[:BITS]
DOWN, ACROSS = (np.array([frequency[axis] for frequency in LOWEST]) for axis in (1, 2))

CandidatePairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def thumbnails(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) or (N, H, W, 3) to small grey pictures, uint8 (N, 32, 32)."""
    small = np.empty((len(images), SIDE, SIDE), np.uint8)
    for row, image in enumerate(images):
        grey = Image.fromarray(image).convert("L")
        small[row] = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return small


def hashes(small: np.ndarray) -> np.ndarray:
    """uint64 (N,) of thumbnails (N, 32, 32)."""
    parts = [small[:0].reshape(0, BITS)]
    for start in range(0, len(small), BATCH):
        spectrum = dctn(small[start : start + BATCH].astype(np.float32), axes=(1, 2))
        parts.append(spectrum[:, DOWN, ACROSS] > 0)
    return as_words(np.concatenate(parts))


def as_words(bits: np.ndarray) -> np.ndarray:
    """bool (N, 64) to uint64 (N,)."""
    packed: np.ndarray = np.ascontiguousarray(np.packbits(bits.astype(bool), axis=1)).view(np.uint64)[:, 0]
    return packed


PLAIN = np.uint64(0)
MIRROR: np.uint64 = as_words((ACROSS % 2 == 1)[None])[0]  # what a mirrored picture has the other way


def close_pairs(words: np.ndarray, turned: np.uint64, limit: int) -> Iterator[CandidatePairs]:
    """(first, second, distance) of all rows first < second whose hashes differ in at most `limit` bits, block by block.

    words uint64 (N,); `turned` are the bits to turn in one of the two: PLAIN, or MIRROR for mirrored pairs.
    """
    for start in range(0, len(words), BLOCK):
        turned_words = words[start : start + BLOCK] ^ turned
        distance = np.bitwise_count(turned_words[:, None] ^ words[None, start:])
        first, second = np.nonzero(distance <= limit)
        ahead = second > first
        first, second = first[ahead], second[ahead]
        yield first + start, second + start, distance[first, second]
