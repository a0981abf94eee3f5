"""A drawn face as a camera would give it: light, occlusion, reduction, noise."""

import numpy as np

from cellar.data.synthetic.expression import draw_expression
from cellar.data.synthetic.face import Canvas, colour, draw_face, draw_pose
from cellar.data.synthetic.person import build_person, person_number
from cellar.seeding import derive

OVERSAMPLE = {48: 3, 100: 2}  # drawn so many times larger, then reduced


def draw_picture(seed: int, split: str, index: int, label: int, side: int, channels: int) -> np.ndarray:
    """Picture `index` of a split, showing emotion `label`.

    uint8 (side, side) for 1 channel, (side, side, 3) for 3. It depends on nothing but the arguments, so any
    picture can be drawn alone.
    """
    rng = np.random.default_rng(derive(seed, f"drawn picture {split}", index))
    person = build_person(seed, person_number(split, rng))
    expression = draw_expression(label, person.rest, rng)
    times = OVERSAMPLE.get(side, 2)
    canvas = Canvas(side * times, draw_tone(rng), draw_pose(side * times, rng))
    draw_face(canvas, person, expression)
    occlude(canvas, rng)
    picture = canvas.picture if channels == 3 else canvas.picture.convert("L")
    return expose(np.asarray(picture.reduce(times), dtype=np.float32), rng)


def draw_tone(rng: np.random.Generator) -> np.ndarray:
    """A muted colour, RGB (3,), for what is behind or before the face."""
    return rng.uniform(15, 240) + rng.normal(0, 20, 3)


def occlude(canvas: Canvas, rng: np.random.Generator) -> None:
    """In a sixth of the pictures something stands before the face: a bar or a blob."""
    if rng.random() >= 1 / 6:
        return
    side = canvas.picture.width
    middle, half = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0.05, 0.16, 2) * side
    ink = colour(draw_tone(rng))
    if rng.random() < 0.5:
        half[rng.integers(2)] = side
        canvas.draw.rectangle([*(middle - half), *(middle + half)], fill=ink)
    else:
        canvas.draw.ellipse([*(middle - half * 1.3), *(middle + half * 1.3)], fill=ink)


def expose(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light from one side, contrast, brightness and noise on float32 (H, W) or (H, W, 3); returns uint8."""
    side = len(picture)
    ramp = np.linspace(-1, 1, side, dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * np.pi), abs(rng.normal(0, 0.15))
    light = 1 + np.float32(strength) * (np.cos(angle) * ramp[:, None] + np.sin(angle) * ramp[None, :])
    light *= np.float32(rng.uniform(0.8, 1.15))
    noise = rng.standard_normal((side, side), dtype=np.float32) * np.float32(rng.uniform(1, 9))
    if picture.ndim == 3:
        light, noise = light[..., None], noise[..., None]
    middle = picture.mean()
    lit = (middle + (picture - middle) * np.float32(rng.uniform(0.75, 1.25))) * light + noise
    exposed: np.ndarray = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
    return exposed
