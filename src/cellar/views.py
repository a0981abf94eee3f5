"""The finite set of augmented views of an image. FER2013 and RAF-DB are flipped only: 2 views.

A view is a number, so that a teacher's word on (image, view) can be kept and looked up.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, as in ResEmoteNet's own code
STD = (0.229, 0.224, 0.225)
FLIP_VIEWS = 2  # 0 plain, 1 mirrored left to right


def to_tensor(images: np.ndarray, size: int, device: torch.device, chunk: int = 4096) -> Tensor:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, 1 or 3, size, size) uint8 on `device`, resized once."""
    pixels = torch.from_numpy(images)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    if pixels.shape[-2:] != (size, size):
        from torchvision.transforms.v2 import functional  # slow to import, and seldom needed

        pixels = torch.cat([functional.resize(part, [size, size], antialias=True) for part in pixels.split(chunk)])
    return pixels.contiguous().to(device)


def cut(images: Tensor, view: Tensor) -> Tensor:
    """(B, 1 or 3, H, W) uint8 and (B,) view numbers -> (B, 3, H, W) normalised float32, channels last."""
    flipped = torch.where(view.bool()[:, None, None, None], images.flip(-1), images)
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return ((flipped.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def plain(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Every image once, in order, as view 0, in batches."""
    for part in images.split(batch_size):
        yield cut(part, torch.zeros(len(part), dtype=torch.long, device=images.device))
