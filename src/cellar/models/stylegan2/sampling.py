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
    half: bool = False,
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
    settings: dict[str, Any] = {"truncation_psi": truncation_psi, "truncation_cutoff": truncation_cutoff, "half": half}

    def make(part: range) -> Iterator[np.ndarray]:
        for batch in whole_batches(part, batch_size):
            z = latents(batch, generator.settings.z_dim).to(device)
            with torch.inference_mode():
                made = generator(z, **settings)
            check_finite(made, batch)
            inside = slice(max(part.start - batch.start, 0), part.stop - batch.start)
            pixels = resized(to_pixels(made[inside]).cpu(), size)
            yield pixels.permute(0, 2, 3, 1).numpy()
            advance(len(pixels))

    identity = {"generator": digest(generator), **settings, "batch_size": batch_size, "device": device.type}
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
            f"the generator gives no numbers for seeds {batch.start} to {batch.stop - 1}; "
            "compute in full precision (half: false), or get its weights again"
        )


def resized(pixels: Tensor, size: int) -> Tensor:
    """(N, 3, R, R) uint8 -> (N, 3, size, size), antialiased, each image separately."""
    if pixels.shape[-1] == size:
        return pixels
    from torchvision.transforms.v2 import functional as resizing  # slow to import, and rarely needed

    smaller: Tensor = resizing.resize(pixels, [size, size], antialias=True)
    return smaller


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
            yield np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))[None]
            advance(1)

    def origin(part: range) -> str:
        total = hashlib.sha256()
        for path in (paths[number] for number in part):
            content = images.read(path)
            total.update(f"{path.relative_to(source).as_posix()} {len(content)} ".encode() + content)
        return total.hexdigest()

    face_shards.write(folder, {"images": "of a folder"}, range(count), size, make, origin=origin, shard=shard)


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
