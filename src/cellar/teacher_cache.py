"""What the teacher says of every (image, view), computed once and shared by experiments, seeds and epochs.

The cache is exact: an entry has the bits of a teacher forward at the cache's batch size, whoever asks. It is
no output of any stage; deleting it costs time and changes no result.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor, nn

from cellar import devices, files, views

FOLDER = Path(".cache/teacher_logits")

Advance = Callable[[int], None]


def cache_path(identity: dict[str, Any]) -> Path:
    """The cache's name is the hash of all that its content depends on: weights, data, precision, batch size ..."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return FOLDER / f"{digest[:32]}.npy"


@torch.inference_mode()
def forward_padded(teacher: nn.Module, images: Tensor, view: Tensor, batch_size: int, precision: str) -> Tensor:
    """Logits (B, C) float32 of B <= batch_size images, in a batch that is always `batch_size` long.

    The bits of one image's logits depend on how long its batch is, so the length never varies.
    """
    padding = batch_size - len(images)
    images = torch.cat([images, images[:1].expand(padding, -1, -1, -1)])
    view = torch.cat([view, view[:1].expand(padding)])
    with devices.autocast(images.device, precision):
        logits: Tensor = teacher(views.cut(images, view))
    return logits[: batch_size - padding].float()


def fill(
    teacher: nn.Module, images: Tensor, view_count: int, batch_size: int, precision: str, advance: Advance
) -> Tensor:
    """Logits (N, view_count, C) of every view of every image, image after image."""
    teacher.eval()
    rows = torch.arange(len(images) * view_count, device=images.device)
    parts = []
    for part in rows.split(batch_size):
        parts.append(forward_padded(teacher, images[part // view_count], part % view_count, batch_size, precision))
        advance(len(part))
    return torch.cat(parts).view(len(images), view_count, -1)


def load_or_fill(identity: dict[str, Any], compute: Callable[[], Tensor], device: torch.device) -> Tensor:
    """The cached logits (N, V, C), computed under a lock if they are not there; safe among several jobs."""
    path = cache_path(identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            logits = compute().cpu().numpy()
            files.write_with(path, lambda file: np.save(file, logits))
    return torch.from_numpy(np.load(path, allow_pickle=False)).to(device)
