"""Convolution of maps so small that part of the kernel meets nothing but padding: that part is left out.

A 3x3 kernel on a map of 1x1 multiplies 8 of 9 weights by the zeros around it, which costs as much as any other product.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class SmallMapConv2d(nn.Conv2d):
    """nn.Conv2d, square and neither dilated nor grouped: the same parameters, outputs (B, O, H', W') and gradients, up to
    the order of sums."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.side = (kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        kernel, _, padding = self.side
        rows, columns = (met_taps(size, *self.side) for size in x.shape[2:])
        if len(rows) == len(columns) == kernel:
            return super().forward(x)
        weight: Tensor = Taps.apply(self.weight, slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        return functional.conv2d(x, weight, self.bias, self.stride, (padding - rows.start, padding - columns.start))


def met_taps(size: int, kernel: int, stride: int, padding: int) -> range:
    """Places of the kernel that meet a map's side of `size` somewhere; all of them unless the rest can be left out evenly."""
    outputs = (size + 2 * padding - kernel) // stride + 1
    met = [tap for tap in range(kernel) if any(0 <= at * stride + tap - padding < size for at in range(outputs))]
    taps = range(met[0], met[-1] + 1)
    as_many = (size + 2 * (padding - taps.start) - len(taps)) // stride + 1
    return taps if as_many == outputs else range(kernel)


class Taps(torch.autograd.Function):
    """Part of a kernel. The gradient keeps the kernel's layout, which a plain slice's does not: a copy the less."""

    @staticmethod
    def forward(ctx: Any, kernel: Tensor, rows: slice, columns: slice) -> Tensor:
        ctx.save_for_backward(kernel)
        ctx.part = (slice(None), slice(None), rows, columns)
        return kernel[ctx.part].contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (kernel,) = ctx.saved_tensors
        whole = torch.zeros_like(kernel)
        whole[ctx.part] = gradient
        return whole, None, None
