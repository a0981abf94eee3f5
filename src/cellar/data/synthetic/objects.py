"""The embedded default for CIFAR-100: a hundred classes of drawn objects in the layout of its pickles.

A class is one of ten shapes, two textures and five hues, such as red_ring_striped; shape and texture are its
coarse class. They are no substitute for the real images: they let the whole pipeline run, quickly and for anyone.
"""

import pickle
from itertools import product
from pathlib import Path

import numpy as np

from cellar.data.readers.cifar100 import FINE
from cellar.data.synthetic.scene import HUES, TEXTURES, draw_objects
from cellar.data.synthetic.shape import OUTLINES
from cellar.data.whole_folder import replacing
from cellar.errors import CellarError
from cellar.seeding import derive

CLASSES = tuple("_".join(parts) for parts in sorted(product(HUES, OUTLINES, TEXTURES)))
COARSE_CLASSES = tuple("_".join(parts) for parts in sorted(product(OUTLINES, TEXTURES)))
COARSE_OF = tuple(COARSE_CLASSES.index(name.partition("_")[2]) for name in CLASSES)
BATCH_LABEL = {"train": b"training batch 1 of 1", "test": b"testing batch 1 of 1"}
PROTOCOL = 2  # the newest of Python 2, which the published files are written with


def write_cifar100(folder: Path, seed: int, train: int, test: int) -> None:
    """Draw the pickles train, test and meta; replaces `folder` whole.

    Raises CellarError unless `train` and `test` are multiples of 100: classes are balanced, as in CIFAR-100.
    """
    totals = {"train": train, "test": test}
    for split, total in totals.items():
        if total < FINE or total % FINE:
            raise CellarError(
                f"params.yaml: source.synthetic: {split} is {total}, but {FINE} classes of one size need a multiple of {FINE}"
            )
    with replacing(folder) as new:
        for split, total in totals.items():
            write_pickle(new / split, draw_batch(seed, split, total))
        write_pickle(new / "meta", describe())


def write_pickle(path: Path, content: object) -> None:
    path.write_bytes(pickle.dumps(content, protocol=PROTOCOL))


def describe() -> dict[bytes, list[bytes]]:
    """What `meta` holds."""
    return {
        b"fine_label_names": [name.encode() for name in CLASSES],
        b"coarse_label_names": [name.encode() for name in COARSE_CLASSES],
    }


def draw_batch(seed: int, split: str, total: int) -> dict[bytes, object]:
    """What `train` or `test` holds: as many pictures of each class, in random order."""
    each = total // FINE
    pictures = np.concatenate([draw_class(seed, split, label, each) for label in range(FINE)])
    order = np.random.default_rng(derive(seed, f"drawn order {split}")).permutation(total)
    labels = (order // each).tolist()
    planes = pictures.transpose(0, 3, 1, 2).reshape(total, -1)
    return {
        b"filenames": [f"{CLASSES[row // each]}_s_{row % each:06d}.png".encode() for row in order.tolist()],
        b"batch_label": BATCH_LABEL[split],
        b"fine_labels": labels,
        b"coarse_labels": [COARSE_OF[label] for label in labels],
        b"data": planes[order],
    }


def draw_class(seed: int, split: str, label: int, n: int) -> np.ndarray:
    """`n` pictures of a class: uint8 (n, 32, 32, 3)."""
    hue, shape, texture = CLASSES[label].split("_")
    rng = np.random.default_rng(derive(seed, f"drawn objects {split}", label))
    return draw_objects(shape, hue, texture, n, rng)
