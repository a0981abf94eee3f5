"""The embedded default for Pins: drawn people, each in many pictures, in the layout of its folders.

A person keeps the shape of the face, skin, hair and brows; pose, framing, expression, light, glasses and what stands
before the face change from picture to picture. They are no substitute for real faces: they let the pipeline run.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cellar.data.faces import EMOTIONS
from cellar.data.readers.identity_folder import PREFIX
from cellar.data.synthetic.expression import draw_expression
from cellar.data.synthetic.face import Canvas, Pose, draw_face, draw_pose
from cellar.data.synthetic.person import build_person
from cellar.data.synthetic.picture import draw_tone, expose, occlude
from cellar.data.synthetic.sample import save_jpeg
from cellar.data.whole_folder import replacing
from cellar.seeding import derive

SHORT_SIDE = (96, 128)  # pixels of a picture, from and up to
FRAME = 1.25  # a picture is cut from a canvas so many times its long side
LONGER = 1.15  # the longest picture's sides
OVERSAMPLE = 2  # drawn so many times larger, then reduced
GLASSES = 0.12  # share of the pictures
LAMP = 0.07  # spread of the light's red, green and blue


def write_pins(path: Path, seed: int, identities: int, per_identity: int) -> None:
    """Draw pins_<name>/<number>.jpg, `per_identity` pictures of each person; replaces `path` whole.

    The same seed gives the same bytes, and more people or pictures leave those before them as they are.
    """
    with replacing(path) as new:
        for person in range(identities):
            for index in range(per_identity):
                file = new / f"{PREFIX}{name_of(person)}" / f"{index + 1:03d}.jpg"
                save_jpeg(file, draw_portrait(seed, person, index))


def name_of(person: int) -> str:
    """A name that no real person has, with a space as Pins' have."""
    return f"Drawn Person {person + 1:03d}"


def draw_portrait(seed: int, person: int, index: int) -> np.ndarray:
    """Picture `index` of a person: uint8 (H, W, 3), its sides of its own."""
    rng = np.random.default_rng(derive(seed, "drawn portrait", person, index))
    who = replace(build_person(seed, person), glasses=bool(rng.random() < GLASSES))
    expression = draw_expression(int(rng.integers(len(EMOTIONS))), who.rest, rng)
    width, height = draw_sides(rng)
    side = round(FRAME * max(width, height))
    canvas = Canvas(side * OVERSAMPLE, draw_tone(rng), turn_more(draw_pose(side * OVERSAMPLE, rng), rng))
    draw_face(canvas, who, expression)
    occlude(canvas, rng)
    lamp = np.exp(rng.normal(0, LAMP, 3)).astype(np.float32)  # the colour of the light: skin does not name a person
    picture = expose(np.asarray(canvas.picture.reduce(OVERSAMPLE), dtype=np.float32) * lamp, rng)
    left, top = (int(rng.integers((side - length) // 4, (side - length) * 3 // 4 + 1)) for length in (width, height))
    return picture[top : top + height, left : left + width]


def draw_sides(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height; most pictures are upright."""
    short = int(rng.integers(SHORT_SIDE[0], SHORT_SIDE[1] + 1))
    long = round(short * rng.uniform(1, LONGER))
    return (short, long) if rng.random() < 0.9 else (long, short)


def turn_more(pose: Pose, rng: np.random.Generator) -> Pose:
    """Heads turn and tilt further here, and come smaller and larger, than before a camera that asks for an emotion."""
    angle, size = rng.normal(0, 0.1), rng.uniform(0.72, 0.92)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Pose(turn @ pose.matrix, pose.offset, pose.yaw + float(rng.normal(0, 0.08)))
