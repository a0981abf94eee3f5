"""Copies in a data set: equal bytes, or the same picture in another size, brightness, crop, compression or mirrored.

Near duplicates are proposed by hashes and confirmed by pixels; docs/audit.md shows what the two limits let through.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cellar.data.audit.content import nearly_constant
from cellar.data.audit.hashes import MIRROR, PLAIN, close_pairs, hashes, thumbnails
from cellar.data.audit.likeness import likeness, window_norms

MAX_DISTANCE = 14  # bits
MIN_LIKENESS = 0.95
KINDS = ("exact", "near", "mirrored")
ALONE = -1
DIGITS = 4


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Pairs of rows first < second, all (P,), ordered by rows; group (N,) is the lowest row of the images that pairs
    link, ALONE for an image without a duplicate. proposed (15,): near pairs by hash distance, before pixels are asked.

    Of images with equal bytes, each is paired with the first of them, which alone stands for them in near pairs.
    """

    first: np.ndarray
    second: np.ndarray
    kind: np.ndarray
    distance: np.ndarray
    likeness: np.ndarray
    group: np.ndarray
    proposed: np.ndarray

    def leaked(self, split: np.ndarray) -> np.ndarray:
        """bool (N,): test images in one group with an image that is trained or validated on."""
        found: np.ndarray = (split == "test") & self.shared_with(split != "test")
        return found

    def leaking(self, split: np.ndarray) -> np.ndarray:
        """bool (N,): the training and validation images in one group with a test image."""
        found: np.ndarray = (split != "test") & self.shared_with(split == "test")
        return found

    def shared_with(self, rows: np.ndarray) -> np.ndarray:
        """bool (N,): images of the groups that hold one of `rows`, bool (N,)."""
        found: np.ndarray = (self.group != ALONE) & np.isin(self.group, self.group[rows])
        return found


def find(images: np.ndarray) -> Duplicates:
    """Duplicates among uint8 (N, H, W) or (N, H, W, 3). Nearly constant images have exact duplicates only."""
    original, every = first_copies(images), np.arange(len(images))
    copies = np.flatnonzero(original != every)
    exact = np.zeros((5, len(copies)))
    exact[0], exact[1], exact[4] = original[copies], copies, 1
    near, proposed = near_pairs(images, np.flatnonzero(original == every))
    pairs = np.concatenate([exact, near], axis=1)
    pairs = pairs[:, np.lexsort((pairs[1], pairs[0]))]
    first, second, kind, distance = pairs[:4].astype(np.int64)
    group = groups(first, second, len(images))
    return Duplicates(first, second, np.array(KINDS)[kind], distance, pairs[4].round(DIGITS), group, proposed)


def first_copies(images: np.ndarray) -> np.ndarray:
    """int64 (N,): the first row that holds the same bytes, an image's own if it is that."""
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault(sha256(image.tobytes()).digest(), row) for row, image in enumerate(images)], int)


def near_pairs(images: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Near duplicates among `rows` as (5, P): first, second, position in KINDS, distance, likeness; and proposed."""
    small = thumbnails(images[rows])
    seen = ~nearly_constant(small)
    rows, small = rows[seen], small[seen]
    words, norms = hashes(small), window_norms(small)
    proposed = np.zeros(MAX_DISTANCE + 1, np.int64)
    found = [np.empty((5, 0))]
    for kind, turned in ((1, PLAIN), (2, MIRROR)):
        for first, second, distance in close_pairs(words, turned, MAX_DISTANCE):
            proposed += np.bincount(distance, minlength=MAX_DISTANCE + 1)
            alike = likeness(small, norms, first, second, mirrored=kind == 2)
            block = np.stack([rows[first], rows[second], np.full(len(first), kind), distance, alike])
            found.append(block[:, alike >= MIN_LIKENESS])
    pairs = np.concatenate(found, axis=1)
    _, told = np.unique(pairs[:2], axis=1, return_index=True)  # a symmetric picture is near, not mirrored too
    return pairs[:, told], proposed


def groups(first: np.ndarray, second: np.ndarray, size: int) -> np.ndarray:
    """The lowest row of each image's group, ALONE where no pair names it: int64 (N,)."""
    links = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    count, label = connected_components(links, directed=False)
    lowest = np.full(count, size)
    np.minimum.at(lowest, label, np.arange(size))
    members = np.bincount(label, minlength=count)
    return np.where(members[label] > 1, lowest[label], ALONE)
