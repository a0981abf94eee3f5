"""What seven emotions do to a drawn face: brows, eyes, nose and mouth, after Ekman and Friesen."""

from dataclasses import astuple, dataclass, fields

import numpy as np

from cellar.data.faces import EMOTIONS


@dataclass(frozen=True)
class Expression:
    """Departures from a face at rest. The unit is half the height of the face."""

    brow_raise: float = 0.0  # the whole brow up
    brow_inner: float = 0.0  # the inner end up; negative: down, a frown
    brow_draw: float = 0.0  # the brows together
    eye_open: float = 0.0  # the upper lid up
    lower_lid: float = 0.0  # the lower lid up, as cheeks push it
    mouth_curve: float = 0.0  # the corners up
    mouth_open: float = 0.0  # the lips apart
    mouth_width: float = 0.0  # each corner outwards
    lip: float = 0.0  # thicker lips; negative: pressed
    upper_lip: float = 0.0  # the upper lip lifted, with the folds beside the nose
    wrinkle: float = 0.0  # the nose wrinkled, 0 to 1
    skew: float = 0.0  # one side of the mouth higher


FULL = {
    "happy": Expression(
        eye_open=-0.035, lower_lid=0.06, mouth_curve=0.16, mouth_open=0.11, mouth_width=0.10, upper_lip=0.01
    ),
    "surprise": Expression(brow_raise=0.15, eye_open=0.06, mouth_open=0.32, mouth_width=-0.11),
    "sad": Expression(
        brow_inner=0.14, brow_draw=0.02, eye_open=-0.035, mouth_curve=-0.14, mouth_width=-0.03, lip=0.01
    ),
    "anger": Expression(
        brow_raise=-0.07, brow_inner=-0.14, brow_draw=0.07, lower_lid=0.03, mouth_width=-0.04, lip=-0.04
    ),
    "disgust": Expression(
        brow_raise=-0.06, brow_inner=-0.04, eye_open=-0.05, lower_lid=0.04, mouth_curve=-0.06,
        mouth_open=0.03, upper_lip=0.11, wrinkle=1.0, skew=0.08,
    ),
    "fear": Expression(
        brow_raise=0.12, brow_inner=0.08, brow_draw=0.06, eye_open=0.065, mouth_curve=-0.06,
        mouth_open=0.15, mouth_width=0.10,
    ),
    "neutral": Expression(),
}  # fmt: skip

FULL_TABLE = np.array([astuple(FULL[name]) for name in EMOTIONS])  # (7, parameters)
SPREAD = 0.05 * np.ptp(FULL_TABLE, axis=0)  # how far a face departs from its emotion's rule
NAMES = [field.name for field in fields(Expression)]
WEAKEST, STRONGEST = 0.6, 1.6


def draw_expression(label: int, rest: np.ndarray, rng: np.random.Generator) -> Expression:
    """An expression of emotion `label`, weak or strong, on a person whose face at rest departs by `rest`.

    rest: (parameters,), in units of SPREAD.
    """
    intensity = WEAKEST + (STRONGEST - WEAKEST) * rng.beta(1.6, 1.2)
    spread = SPREAD * (rest + rng.normal(0, 1, len(NAMES)))
    return Expression(*(float(value) for value in intensity * FULL_TABLE[label] + spread))
