"""Hashes against the transform spelled out, and close pairs against all pairs counted one by one."""

import numpy as np

from cellar.data.audit import hashes
from cellar.data.audit.hashes import MIRROR, PLAIN
from cellar.data.audit.likeness import likeness, window_norms

from .conftest import Paint


def test_a_bit_is_the_sign_of_a_low_frequency(paint: Paint) -> None:
    small = hashes.thumbnails(paint(3, 2))
    bits = np.unpackbits(hashes.hashes(small)[:, None].view(np.uint8), axis=1)
    place = np.arange(hashes.SIDE) + 0.5
    for number in (0, 1, 17, 63):
        down, across = hashes.DOWN[number], hashes.ACROSS[number]
        wave = np.outer(np.cos(np.pi * down * place / 32), np.cos(np.pi * across * place / 32))
        assert (bits[:, number] == ((small * wave).sum((1, 2)) > 0)).all()


def test_a_mirrored_picture_has_the_mirrored_hash(paint: Paint) -> None:
    small = hashes.thumbnails(paint(20, 3))
    assert (hashes.hashes(small[:, :, ::-1]) == hashes.hashes(small) ^ MIRROR).all()


def test_close_pairs_are_all_pairs_within_the_limit() -> None:
    words = np.random.default_rng(0).integers(0, 2**64, 300, dtype=np.uint64)
    words[200] = words[10] ^ np.uint64(0b1011)
    for turned, limit in ((PLAIN, 22), (MIRROR, 22), (PLAIN, 3)):
        expected = {
            (a, b, bits)
            for a in range(300)
            for b in range(a + 1, 300)
            if (bits := (int(words[a]) ^ int(words[b]) ^ int(turned)).bit_count()) <= limit
        }
        blocks = hashes.close_pairs(words, turned, limit)
        assert {tuple(map(int, pair)) for block in blocks for pair in zip(*block, strict=True)} == expected
        assert expected


def correlation(picture: np.ndarray, other: np.ndarray) -> float:
    """The best of the middle of one over 25 windows of the other."""
    middle = picture[2:30, 2:30].ravel()
    windows = [other[i : i + 28, j : j + 28].ravel() for i in range(5) for j in range(5)]
    return max(float(np.corrcoef(middle, window)[0, 1]) for window in windows)


def test_likeness_is_the_best_correlation_over_shifts_both_ways(paint: Paint) -> None:
    small = hashes.thumbnails(paint(12, 4))
    first, second = np.arange(6), np.arange(6, 12)
    for mirrored in (False, True):
        turned = small[:, :, ::-1] if mirrored else small
        ways = [
            max(correlation(turned[a], small[b]), correlation(turned[b], small[a]))
            for a, b in zip(first, second, strict=True)
        ]
        found = likeness(small, window_norms(small), first, second, mirrored)
        assert np.allclose(found, ways, atol=1e-5)
        assert (found == likeness(small, window_norms(small), second, first, mirrored)).all()
