"""What a convolution's weights meet on a map of one size: im2col, without the weights that only ever meet padding."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Window:
    """Along one axis: the weights of a kernel that touch a map of `size` pixels, and how they slide over it."""

    size: int
    outputs: int
    taps: range  # positions of the kernel, from the first to the last that touches the map for some output
    stride: int
    padding: int

    @property
    def edges(self) -> tuple[int, int]:
        """Pixels to add before and after the map, so that the taps slide over just what they meet; negative: to cut."""
        before = self.padding - self.taps.start
        return before, (self.outputs - 1) * self.stride + len(self.taps) - self.size - before

    def meetings(self, tap: int) -> tuple[slice, slice]:
        """The outputs for which a tap touches the map, and the pixels that it touches."""
        pixels = {at: at * self.stride + tap - self.padding for at in range(self.outputs)}
        hits = [(at, pixel) for at, pixel in pixels.items() if 0 <= pixel < self.size]
        if not hits:
            return slice(0), slice(0)
        (first, start), (last, end) = hits[0], hits[-1]
        return slice(first, last + 1), slice(start, end + 1, self.stride)


Windows = tuple[Window, Window]  # down, across


def windows_of(layer: nn.Conv2d, size: tuple[int, int]) -> Windows:
    """The windows of a convolution without dilation on maps (B, C, *size)."""
    down, across = (window_of(layer, size[axis], axis) for axis in (0, 1))
    return down, across


def window_of(layer: nn.Conv2d, size: int, axis: int) -> Window:
    kernel, stride, padding = layer.kernel_size[axis], layer.stride[axis], int(layer.padding[axis])
    outputs = (size + 2 * padding - kernel) // stride + 1
    starts = [at * stride - padding for at in range(outputs)]
    touching = [tap for tap in range(kernel) if any(0 <= start + tap < size for start in starts)]
    return Window(size, outputs, range(touching[0], touching[-1] + 1), stride, padding)


class Columns(torch.autograd.Function):
    """Pixels (B, H, W, C) -> (B, H', W', rows, columns, C): what each output sums, zero where a tap meets padding.

    Tensor.unfold alone gives the same, with a gradient that takes up to twenty times as long.
    """

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, down: Window, across: Window) -> Tensor:
        ctx.shape, ctx.windows = pixels.shape, (down, across)
        pixels = functional.pad(pixels, (0, 0, *across.edges, *down.edges))
        pixels = pixels.unfold(1, len(down.taps), down.stride).unfold(2, len(across.taps), across.stride)
        return pixels.permute(0, 1, 2, 4, 5, 3).contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        down, across = ctx.windows
        pixels = gradient.new_zeros(ctx.shape)
        for (row, tap_down), (column, tap_across) in product(enumerate(down.taps), enumerate(across.taps)):
            (outputs_down, rows), (outputs_across, columns) = down.meetings(tap_down), across.meetings(tap_across)
            pixels[:, rows, columns] += gradient[:, outputs_down, outputs_across, row, column]
        return pixels, None, None
