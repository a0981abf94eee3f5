"""Face images from a generator's seeds, or from a folder of images, written as shards (cellar.data.face_shards)."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cellar.data import face_shards, images
from cellar.errors import CellarError
from cellar.models.stylegan2.network import Generator

MOST_SEED = 2**32 - 1  # of NumPy's RandomState
RESIZED = "bicubic"  # Pillow's default, with which the small-dataset study's code resizes faces
Advance = Callable[[int], None]  # told how many images were made


def ignore(count: int) -> None:
    """The default: progress is not shown."""


def latents(seeds: range, z_dim: int) -> Tensor:
    """z (N, z_dim) float32 of each seed, as in stylegan2-ada-pytorch's generate.py."""
    rows = [np.random.RandomState(seed).randn(1, z_dim) for seed in seeds]
    return torch.from_numpy(np.concatenate(rows).astype(np.float32))


def to_pixels(x: Tensor) -> Tensor:
    """Images of about -1 to 1 -> uint8, as generate.py rounds them."""
    return (x * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def generate_faces(
    generator: Generator,
    folder: Path,
    seeds: range,
    size: int,
    *,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
    batch_size: int | None = None,
    shard: int = face_shards.SHARD,
    advance: Advance = ignore,
) -> None:
    """Write the image of every seed, `size` x `size`, into `folder`; `generator` stays on its device.

    Complete shards are kept. An image's last bits depend on its position in its batch and on the batch size; so batches
    start at multiples of `batch_size` and are always full, whichever seeds are requested, and a seed always gives the
    same image. Raises CellarError for seeds that are none, images that are no numbers, or a
    folder of other images.
    """
    batch_size = batch_size or usual_batch(generator)
    check_seeds(seeds, batch_size)
    device = next(generator.parameters()).device
    truncation: dict[str, Any] = {"truncation_psi": truncation_psi, "truncation_cutoff": truncation_cutoff}

    def make(part: range) -> Iterator[np.ndarray]:
        for batch in whole_batches(part, batch_size):
            z = latents(batch, generator.settings.z_dim).to(device)
            with torch.inference_mode():
                made = generator(z, **truncation)
            check_finite(made, batch)
            inside = slice(max(part.start - batch.start, 0), part.stop - batch.start)
            pixels = to_pixels(made[inside]).permute(0, 2, 3, 1).cpu().numpy()
            yield np.stack([resized(Image.fromarray(face), size) for face in pixels])
            advance(len(pixels))

    place = {"batch_size": batch_size, "device": device.type}
    identity = {"generator": digest(generator), **truncation, **place, "resized": RESIZED}
    face_shards.write(folder, identity, seeds, size, make, shard=shard)


def usual_batch(generator: Generator) -> int:
    """A batch size at which a published network needs less than 4 GB: 4 at 1024 pixels, 64 at 64 pixels and below."""
    return max(1, min(64, 4096 // generator.settings.img_resolution))


def check_seeds(seeds: range, batch_size: int) -> None:
    if not len(seeds) or seeds.step != 1 or seeds.start < 0 or seeds.stop + batch_size > MOST_SEED:
        raise CellarError(
            f"seeds {seeds.start} to {seeds.stop - 1} are no range of seeds: they go up, "
            f"from 0 to {MOST_SEED - batch_size}; mend them in params.yaml"
        )


def whole_batches(part: range, batch_size: int) -> Iterator[range]:
    """Ranges of `batch_size` seeds, starting at multiples of it, that cover `part`."""
    for start in range(part.start - part.start % batch_size, part.stop, batch_size):
        yield range(start, start + batch_size)


def check_finite(made: Tensor, batch: range) -> None:
    if not made.isfinite().all():
        raise CellarError(
            f"the generator gives no numbers for seeds {batch.start} to {batch.stop - 1}; get its weights again"
        )


def resized(face: Image.Image, size: int) -> np.ndarray:
    """(size, size, 3) uint8."""
    return np.asarray(face.resize((size, size), Image.Resampling.BICUBIC))


def digest(generator: Generator) -> str:
    """A hash of the generator's settings and weights."""
    total = hashlib.sha256(repr(generator.settings).encode())
    for name, value in sorted(generator.state_dict().items()):
        total.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


def faces_from_folder(
    source: Path,
    folder: Path,
    count: int,
    size: int,
    *,
    shard: int = face_shards.SHARD,
    advance: Advance = ignore,
) -> None:
    """Write the first `count` images of `source` and its subfolders, by name, into `folder`, resized to `size` x `size`.

    Raises CellarError when there are fewer, or one is unreadable; the shards before that one are kept.
    """
    paths = list_images(source)
    if len(paths) < max(count, 1):
        raise CellarError(f"{source} holds {len(paths)} images, {count} are asked for; add some, or ask for fewer")

    def make(part: range) -> Iterator[np.ndarray]:
        for number in part:
            image = images.decode(paths[number], images.read(paths[number]), "RGB")
            yield resized(image, size)[None]
            advance(1)

    def origin(part: range) -> str:
        total = hashlib.sha256()
        for path in (paths[number] for number in part):
            content = images.read(path)
            total.update(f"{path.relative_to(source).as_posix()} {len(content)} ".encode() + content)
        return total.hexdigest()

    face_shards.write(
        folder, {"images": "of a folder", "resized": RESIZED}, range(count), size, make, origin=origin, shard=shard
    )


def list_images(source: Path) -> list[Path]:
    """Image files, sorted by path; files that desktops leave behind and files of other kinds are skipped."""
    if not source.is_dir():
        raise CellarError(
            f"{source} does not exist, or is no folder; put face images there, or mend the path in params.yaml"
        )
    found: list[Path] = []
    for entry in images.visible(source):
        if entry.is_dir() and not entry.is_symlink():  # a link may lead back
            found += list_images(entry)
        elif entry.suffix.lower() in images.SUFFIXES:
            found.append(entry)
    return found
