"""Generated faces as a loop reads them: from the disk, a batch at a time, so that 100,000 need no memory."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cellar.data.augmentation.views import to_tensor
from cellar.data.face_shards import Faces


@dataclass(frozen=True)
class FaceImages:
    """Indexed by numbers (B,) it gives those faces, (B, 3, size, size) uint8 on `device`."""

    faces: Faces
    size: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: Tensor) -> Tensor:
        return to_tensor(self.faces[index.cpu().numpy()], self.size, self.device)
