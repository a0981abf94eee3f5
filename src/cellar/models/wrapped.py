"""Modules around a network that is trained: the state dict is the network's, under the network's own names."""

from typing import Any

import torch
from torch import Tensor, nn


class Wrapped(nn.Module):
    """Base of modules that train a network and something beside it, or in another way than image by image."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.network.load_state_dict(*args, **kwargs)


class EachView(Wrapped):
    """Several augmentations of each image, (B, V, 3, H, W), in V passes -> logits (B, V, C); (B, 3, H, W) -> (B, C).

    Batch normalisation has the statistics of each pass: those of one kind of augmentation.
    """

    def forward(self, images: Tensor) -> Any:
        if images.ndim == 4:
            return self.network(images)
        passes = [self.network(view.contiguous(memory_format=torch.channels_last)) for view in images.unbind(1)]
        if isinstance(passes[0], tuple):  # of a network with an auxiliary head
            return tuple(torch.stack(heads, 1) for heads in zip(*passes, strict=True))
        return torch.stack(passes, 1)
