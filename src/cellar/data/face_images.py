"""Generated faces as training images: read from disk one batch at a time, so that 100,000 of them need no memory."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cellar.data.face_shards import Faces
from cellar.data.inputs.augmentation import to_tensor


@dataclass(frozen=True)
class FaceImages:
    """Indexing with numbers (B,) returns these faces, (B, 3, size, size) uint8 on `device`."""

    faces: Faces
    size: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: Tensor) -> Tensor:
        return to_tensor(self.faces[index.cpu().numpy()], self.size, self.device)
