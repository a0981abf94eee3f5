"""Drawn objects as a camera would give them: before clutter, partly covered, in uneven light, with noise.

All pictures of a class are drawn at once: arrays of n pictures, float32, colours from 0 to 1.
"""

from dataclasses import dataclass

import numpy as np

from cellar.data.synthetic.shape import distance

SIDE = 32
HUES = {"blue": 215, "green": 120, "red": 0, "violet": 285, "yellow": 52}  # degrees
TEXTURES = ("dotted", "striped")
HUE_SPREAD = 12.0  # degrees, standard deviation
CLUTTER = 3  # things behind an object
COARSE = 5  # a background is this many colours wide
PIXELS = (np.arange(SIDE, dtype=np.float32) + 0.5) - SIDE / 2


@dataclass(frozen=True)
class Frame:
    """Points in the coordinates of one thing a picture: x, y (n, 32, 32); pixels to its unit: scale (n, 1, 1)."""

    x: np.ndarray
    y: np.ndarray
    scale: np.ndarray


def draw_objects(shape: str, hue: str, texture: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` pictures of one class: uint8 (n, 32, 32, 3)."""
    picture = draw_background(n, rng)
    for _ in range(CLUTTER):
        add_clutter(picture, rng)
    frame = place(n, rng, spread=2.5, sizes=(9.0, 13.5), turn=0.35)
    inside = np.clip(0.5 - distance(shape, frame.x, frame.y) * frame.scale, 0, 1)
    lay(picture, paint(frame, HUES[hue], texture, rng), inside)
    cover(picture, rng)
    return expose(picture, rng)


def uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    """One number a picture: float32 (n, 1, 1)."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def place(n: int, rng: np.random.Generator, spread: float, sizes: tuple[float, float], turn: float) -> Frame:
    """Moved by up to `spread` pixels, turned by up to `turn` radians, stretched; `sizes` are half widths in pixels."""
    x = PIXELS[None, None, :] - uniform(rng, -spread, spread, n)
    y = PIXELS[None, :, None] - uniform(rng, -spread, spread, n)
    angle, scale = uniform(rng, -turn, turn, n), uniform(rng, *sizes, n)
    stretch = uniform(rng, 0.9, 1.11, n)
    across = (x * np.cos(angle) + y * np.sin(angle)) / (scale * stretch)
    down = (y * np.cos(angle) - x * np.sin(angle)) / (scale / stretch)
    return Frame(across, down, scale)


def to_rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Hue in degrees, the rest 0 to 1, each (n, 1, 1), to colours (n, 1, 1, 3)."""
    k = (np.array([5.0, 3.0, 1.0], dtype=np.float32) + hue[..., None] / 60) % 6
    fall = np.clip(np.minimum(k, 4 - k), 0, 1)
    colours: np.ndarray = value[..., None] * (1 - saturation[..., None] * fall)
    return colours


def any_colour(n: int, rng: np.random.Generator) -> np.ndarray:
    return to_rgb(uniform(rng, 0, 360, n), uniform(rng, 0.1, 0.9, n), uniform(rng, 0.2, 1, n))


def draw_background(n: int, rng: np.random.Generator) -> np.ndarray:
    """A few colours, flowing into each other: (n, 32, 32, 3)."""
    base, other = any_colour(n, rng), any_colour(n, rng)
    mix = rng.random((n, COARSE, COARSE), dtype=np.float32)
    at = np.linspace(0, COARSE - 1, SIDE)
    weights = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(COARSE))).astype(np.float32)
    share = (weights @ mix @ weights.T)[..., None]
    picture: np.ndarray = base + (other - base) * share
    return picture


def add_clutter(picture: np.ndarray, rng: np.random.Generator) -> None:
    """One more thing on each picture, of any colour: an ellipse or a box, long or round, plain or striped."""
    n = len(picture)
    frame = place(n, rng, spread=16, sizes=(3, 9), turn=np.pi)
    long = uniform(rng, 1, 3, n)
    power = np.where(rng.random((n, 1, 1)) < 0.5, 2, 8)  # of a superellipse: 2 is round, 8 nearly a box
    size = ((np.abs(frame.x) / long) ** power + np.abs(frame.y * long) ** power) ** (1 / power)
    inside = np.clip(0.5 - (size - 1) * frame.scale / long, 0, 1)
    ink = any_colour(n, rng)
    waves = wave(frame.x * frame.scale, uniform(rng, 3.5, 7, n), uniform(rng, 0, 6.3, n))
    striped = (rng.random((n, 1, 1)) < 0.4) * waves
    lay(picture, ink + (any_colour(n, rng) - ink) * striped[..., None], inside.astype(np.float32))


def wave(along: np.ndarray, period: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Stripes across `along` (pixels): 0 or 1, soft between."""
    height: np.ndarray = np.clip(0.5 + 1.5 * np.sin(along * (2 * np.pi / period) + phase), 0, 1)
    return height


def paint(frame: Frame, hue: float, texture: str, rng: np.random.Generator) -> np.ndarray:
    """The colour of an object at every pixel: its hue, and a texture in a lighter or darker tone of it."""
    n = len(frame.x)
    own = hue + rng.normal(0, HUE_SPREAD, (n, 1, 1)).astype(np.float32)
    saturation, value = uniform(rng, 0.55, 1, n), uniform(rng, 0.55, 1, n)
    ink = to_rgb(own, saturation, value)
    lighter = rng.random((n, 1, 1)) < 0.5
    tone = to_rgb(own, np.where(lighter, 0.15, saturation), np.where(lighter, 1.0, value * 0.35))
    angle, period = uniform(rng, 0, np.pi, n), uniform(rng, 4.2, 6.5, n)
    x, y = frame.x * frame.scale, frame.y * frame.scale
    first = x * np.cos(angle) + y * np.sin(angle)
    pattern = wave(first, period, uniform(rng, 0, 6.3, n))
    if texture == "dotted":
        second = y * np.cos(angle) - x * np.sin(angle)
        pattern = np.clip(1.6 * pattern * wave(second, period, uniform(rng, 0, 6.3, n)) - 0.1, 0, 1)
    painted: np.ndarray = ink + (tone - ink) * pattern[..., None]
    return painted


def lay(picture: np.ndarray, ink: np.ndarray, inside: np.ndarray) -> None:
    """`ink` over `picture`, where `inside` (n, 32, 32) is 1."""
    picture += (ink - picture) * inside[..., None]


def cover(picture: np.ndarray, rng: np.random.Generator) -> None:
    """In a quarter of the pictures a bar stands before the object."""
    n = len(picture)
    frame = place(n, rng, spread=9, sizes=(1.5, 3.5), turn=np.pi)
    there = rng.random((n, 1, 1)) < 0.25
    inside = np.clip(0.5 - (np.abs(frame.y) - 1) * frame.scale, 0, 1) * there
    lay(picture, any_colour(n, rng), inside.astype(np.float32))


def expose(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light from one side, contrast, a colour cast and noise; returns uint8."""
    n = len(picture)
    angle, strength = uniform(rng, 0, 6.3, n), uniform(rng, 0, 0.3, n)
    ramp = (PIXELS[None, None, :] * np.cos(angle) + PIXELS[None, :, None] * np.sin(angle)) / (SIDE / 2)
    cast = rng.normal(1, 0.05, (n, 1, 1, 3)).astype(np.float32)
    light = ((1 + strength * ramp) * uniform(rng, 0.75, 1.15, n))[..., None] * cast
    contrast = uniform(rng, 0.7, 1.15, n)[..., None]
    middle = picture.mean(axis=(1, 2, 3), keepdims=True)
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * uniform(rng, 0.005, 0.05, n)[..., None]
    lit = (middle + (picture - middle) * contrast) * light + noise
    exposed: np.ndarray = np.clip(np.rint(lit * 255), 0, 255).astype(np.uint8)
    return exposed
