"""The channel shuffle of ShuffleNet (Zhang et al., arXiv:1707.01083, section 3.1)."""

from torch import Tensor


def channel_shuffle(maps: Tensor, groups: int) -> Tensor:
    """(B, C, H, W) with C = groups * n: channel g * n + i becomes channel i * groups + g.

    In the memory layout of all networks here, channels last, which a reshape of (B, groups, n, H, W) would leave.
    """
    pixels = maps.permute(0, 2, 3, 1).unflatten(3, (groups, -1))  # (B, H, W, groups, n)
    shuffled: Tensor = pixels.transpose(3, 4).flatten(3).permute(0, 3, 1, 2)
    return shuffled
