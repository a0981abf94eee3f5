"""Who is drawn: the traits by which one drawn person differs from another, whatever they express."""

from dataclasses import dataclass

import numpy as np

from cellar.data.synthetic.expression import NAMES
from cellar.seeding import derive

PEOPLE = {"train": 400, "validation": 100, "test": 150}  # of each split; no person is in two splits
SKIN_DARK, SKIN_LIGHT = np.array([92.0, 62.0, 46.0]), np.array([240.0, 208.0, 184.0])
HAIR = np.array([[28, 22, 20], [70, 46, 30], [128, 84, 48], [196, 164, 104], [150, 150, 152]], dtype=float)


@dataclass(frozen=True)
class Person:
    """Lengths in half face heights; colours RGB, 0 to 255."""

    skin: np.ndarray
    hair: np.ndarray
    face_width: float
    jaw: float  # 0 pointed, 1 square
    eye_distance: float
    eye_width: float
    eye_open: float
    brow_height: float
    brow_thickness: float
    nose_length: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip: float
    fringe: float
    hair_length: float
    glasses: bool
    rest: np.ndarray  # the face at rest, see draw_expression


def person_number(split: str, rng: np.random.Generator) -> int:
    """Who sits for a picture. The ranges of the splits do not meet."""
    first = 0
    for name, people in PEOPLE.items():
        if name == split:
            return first + int(rng.integers(people))
        first += people
    raise ValueError(split)


def build_person(seed: int, number: int) -> Person:
    """The same seed and number are the same person."""
    rng = np.random.default_rng(derive(seed, "drawn person", number))
    between = rng.uniform
    skin = SKIN_DARK + between(0, 1) * (SKIN_LIGHT - SKIN_DARK)
    return Person(
        skin=skin + rng.normal(0, 6, 3),
        hair=HAIR[rng.integers(len(HAIR))] + rng.normal(0, 8, 3),
        face_width=between(0.66, 0.84),
        jaw=between(0, 1),
        eye_distance=between(0.29, 0.37),
        eye_width=between(0.14, 0.19),
        eye_open=between(0.06, 0.09),
        brow_height=between(0.15, 0.21),
        brow_thickness=between(0.018, 0.05),
        nose_length=between(0.26, 0.38),
        nose_width=between(0.09, 0.16),
        mouth_y=between(0.44, 0.54),
        mouth_width=between(0.23, 0.32),
        lip=between(0.035, 0.07),
        fringe=between(0.4, 0.8),
        hair_length=between(-0.5, 0.9),
        glasses=bool(rng.random() < 0.12),
        rest=rng.normal(0, 0.5, len(NAMES)),
    )
