"""One drawn face: shapes of a person and an expression, in pose, drawn large and reduced.

Face coordinates: x right, y down, the unit is half the height of the face, the origin its middle.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from cellar.data.synthetic.expression import Expression
from cellar.data.synthetic.person import Person

STEPS = np.linspace(-1, 1, 13)  # along a lid, a lip or a brow
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 17)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 17)[:-1])], 1)
HEAD = np.linspace(0, 2 * np.pi, 41)[:-1]
EYE_Y = -0.14
DARK, TEETH, MOUTH = np.array([30.0, 22, 24]), np.array([236.0, 232, 222]), np.array([70.0, 24, 28])
RED = np.array([176.0, 72, 78])


@dataclass(frozen=True)
class Pose:
    """matrix (2, 2) and offset (2,): face coordinates to pixels; `yaw` moves the features across the head."""

    matrix: np.ndarray
    offset: np.ndarray
    yaw: float


def draw_pose(side: int, rng: np.random.Generator) -> Pose:
    """Turned, sheared, scaled and moved at random, for a canvas of side x side pixels."""
    angle, shear = rng.normal(0, 0.06), rng.normal(0, 0.04)
    scale = side * 0.5 * rng.uniform(0.92, 1.08, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) * scale
    offset = side * (0.5 + rng.normal(0, 0.02, 2))
    return Pose(matrix, offset, float(rng.normal(0, 0.05)))


class Canvas:
    """Filled shapes in face coordinates on an RGB picture of side x side pixels."""

    def __init__(self, side: int, background: np.ndarray, pose: Pose) -> None:
        self.picture = Image.new("RGB", (side, side), colour(background))
        self.draw = ImageDraw.Draw(self.picture)
        self.pose = pose

    def place(self, points: np.ndarray, depth: float) -> list[tuple[float, float]]:
        """Points (n, 2) in pixels; `depth` says how far the yaw moves them, 1 at the front of the face."""
        moved = points + np.array([self.pose.yaw * depth, 0])
        placed = moved @ self.pose.matrix.T + self.pose.offset
        return list(map(tuple, placed.tolist()))

    def fill(self, points: np.ndarray, ink: np.ndarray, depth: float = 1.0) -> None:
        self.draw.polygon(self.place(points, depth), fill=colour(ink))

    def line(self, points: np.ndarray, ink: np.ndarray, thickness: float, depth: float = 1.0) -> None:
        width = max(1, round(thickness * float(np.abs(self.pose.matrix[0, 0]))))
        self.draw.line(self.place(points, depth), fill=colour(ink), width=width, joint="curve")


def colour(ink: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = (int(min(max(value, 0), 255)) for value in ink)
    return red, green, blue


def draw_face(canvas: Canvas, person: Person, expression: Expression) -> None:
    draw_head(canvas, person)
    draw_nose(canvas, person, expression)
    draw_mouth(canvas, person, expression)
    for side in (-1, 1):
        draw_eye(canvas, person, expression, side)
        draw_brow(canvas, person, expression, side)
    draw_fringe(canvas, person)
    if person.glasses:
        draw_glasses(canvas, person)


def head_outline(person: Person) -> np.ndarray:
    """(40, 2): an oval whose lower half is squarer the more `jaw`."""
    x, y = np.cos(HEAD), np.sin(HEAD)
    power = np.where(y > 0, 0.75 + 0.35 * (1 - person.jaw), 0.9)
    return np.stack([person.face_width * np.sign(x) * np.abs(x) ** power, y], 1)


def draw_head(canvas: Canvas, person: Person) -> None:
    outline = head_outline(person)
    back = outline * [1.12, 1.08] - [0, 0.05]
    canvas.fill(back[back[:, 1] < person.hair_length], person.hair, 0)
    neck = person.face_width * 0.6
    canvas.fill(np.array([[-neck, 0.6], [neck, 0.6], [neck * 1.2, 2], [-neck * 1.2, 2]]), person.skin * 0.8, 0)
    canvas.fill(outline, person.skin, 0.2)


def draw_fringe(canvas: Canvas, person: Person) -> None:
    outline = head_outline(person) * [1.03, 1.03]
    edge = -person.fringe - 0.1 * outline[:, 0] / person.face_width
    canvas.fill(outline[outline[:, 1] < edge], person.hair, 0.3)


def draw_eye(canvas: Canvas, person: Person, expression: Expression, side: int) -> None:
    """White, iris, pupil and lids; the lids cut the iris."""
    middle = np.array([side * person.eye_distance, EYE_Y])
    height = person.eye_open
    lid = 1 - STEPS**2
    up = middle[1] - np.maximum(height + expression.eye_open, 0.008) * lid
    down = np.maximum(middle[1] + (height * 0.8 - expression.lower_lid) * lid, up + 0.006)
    x = middle[0] + person.eye_width * STEPS
    upper, lower = np.stack([x, up], 1), np.stack([x, down], 1)
    canvas.fill(np.concatenate([upper, lower[::-1]]), TEETH)
    for radius, ink in ((0.08, person.hair * 0.5 + 20), (0.04, DARK)):
        iris = middle + radius * CIRCLE
        iris[:, 1] = np.clip(iris[:, 1], np.interp(iris[:, 0], x, up), np.interp(iris[:, 0], x, down))
        canvas.fill(iris, ink)
    canvas.line(upper, DARK, 0.022)
    canvas.line(lower, person.skin * 0.6, 0.012)
    if expression.lower_lid > 0.02:
        canvas.line(lower + np.array([0, 0.05]), person.skin * 0.78, 0.014)


def draw_brow(canvas: Canvas, person: Person, expression: Expression, side: int) -> None:
    """A tapered band from the inner end (0) to the outer (1)."""
    along = (STEPS + 1) / 2
    inner, outer = (
        person.eye_distance - person.eye_width - 0.01 - expression.brow_draw,
        person.eye_distance + person.eye_width + 0.05,
    )
    x = side * (inner + (outer - inner) * along)
    arch = 0.045 * np.sin(np.pi * along) - 0.03 * along
    y = EYE_Y - person.brow_height - arch - expression.brow_raise - expression.brow_inner * (1 - along) ** 1.2
    half = person.brow_thickness * (1 - 0.6 * along)
    band = np.concatenate([np.stack([x, y - half], 1), np.stack([x, y + half], 1)[::-1]])
    canvas.fill(band, person.hair * 0.8)
    if expression.brow_draw > 0.035:
        crease = np.array([[side * 0.035, EYE_Y - 0.18], [side * 0.03, EYE_Y - 0.06]])
        canvas.line(crease, person.skin * 0.62, 0.016)


def draw_nose(canvas: Canvas, person: Person, expression: Expression) -> None:
    tip = EYE_Y + 0.1 + person.nose_length - 0.3 * expression.upper_lip
    shade, wide = person.skin * 0.72, person.nose_width * (1 + 0.25 * max(expression.wrinkle, 0))
    bridge = np.array([[-0.05, EYE_Y], [-wide * 0.6, tip - 0.1], [-wide, tip], [0, tip + 0.04], [wide, tip]])
    canvas.line(bridge, shade, 0.018)
    for side in (-1, 1):
        canvas.fill(np.array([side * wide * 0.5, tip]) + [0.035, 0.02] * CIRCLE, person.skin * 0.5)
    for row in range(3):
        if expression.wrinkle > 0.2 + 0.2 * row:
            y = EYE_Y + 0.02 + 0.06 * row
            canvas.line(np.array([[-0.07, y + 0.015], [0, y - 0.02], [0.07, y + 0.015]]), person.skin * 0.6, 0.016)
    if expression.upper_lip > 0.025 or expression.mouth_curve > 0.05:
        for side in (-1, 1):
            fold = np.array([[wide + 0.03, tip - 0.03], [wide + 0.1, tip + 0.08], [wide + 0.15, tip + 0.2]])
            canvas.line(fold * [side, 1], person.skin * 0.68, 0.018)


def draw_mouth(canvas: Canvas, person: Person, expression: Expression) -> None:
    """Lips about a dark opening; the upper teeth show when it is wide enough."""
    half_width = max(person.mouth_width + expression.mouth_width, 0.07)
    gap = max(expression.mouth_open, 0.0) * np.sqrt(np.maximum(1 - STEPS**2, 0))
    middle = person.mouth_y + expression.mouth_curve * (0.6 - 1.4 * STEPS**2) - expression.skew * STEPS
    lift = max(expression.upper_lip, 0.0) * np.exp(-((STEPS - 0.3) ** 2) / 0.3)
    up, down = middle - 0.3 * gap - lift, middle + 0.7 * gap
    lip = max(person.lip + expression.lip, 0.008) * (1 - 0.75 * STEPS**2)
    x = half_width * STEPS
    tone = 0.55 * person.skin + 0.35 * RED

    def band(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        return np.concatenate([np.stack([x, top], 1), np.stack([x, bottom], 1)[::-1]])

    canvas.fill(band(up - lip, down + 1.2 * lip), tone)
    canvas.fill(band(up, down), MOUTH)
    if (down - up).max() > 0.05:
        canvas.fill(band(up, np.minimum(up + 0.05, down)), TEETH)
    if (down - up).max() < 0.02:
        canvas.line(np.stack([x, middle], 1), MOUTH, 0.02)


def draw_glasses(canvas: Canvas, person: Person) -> None:
    for side in (-1, 1):
        rim = np.array([side * person.eye_distance, EYE_Y + 0.02]) + [0.2, 0.15] * CIRCLE
        canvas.line(np.concatenate([rim, rim[:1]]), DARK, 0.022, 1.1)
    inner = person.eye_distance - 0.2
    canvas.line(np.array([[-inner, EYE_Y], [inner, EYE_Y]]), DARK, 0.022, 1.1)
