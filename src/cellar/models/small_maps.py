"""Convolution of maps so small that part of the kernel only ever covers padding: that part is not computed.

A 3x3 kernel on a 1x1 map multiplies 8 of its 9 weights by zeros, which costs as much as any other product.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class SmallMapConv2d(nn.Conv2d):
    """A square nn.Conv2d without dilation or groups: the same parameters, outputs (B, O, H', W') and gradients, up to
    the order of sums."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding)
        self.side = (kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        kernel, _, padding = self.side
        rows, columns = (effective_kernel_range(size, *self.side) for size in x.shape[2:])
        if len(rows) == len(columns) == kernel:
            return super().forward(x)
        weight: Tensor = KernelSlice.apply(
            self.weight, slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        )
        return functional.conv2d(x, weight, self.bias, self.stride, (padding - rows.start, padding - columns.start))


def effective_kernel_range(size: int, kernel: int, stride: int, padding: int) -> range:
    """Positions of the kernel that overlap a map of side `size` for some output; all of them unless the rest can be cut evenly."""
    outputs = (size + 2 * padding - kernel) // stride + 1
    used = [tap for tap in range(kernel) if any(0 <= at * stride + tap - padding < size for at in range(outputs))]
    taps = range(used[0], used[-1] + 1)
    as_many = (size + 2 * (padding - taps.start) - len(taps)) // stride + 1
    return taps if as_many == outputs else range(kernel)


class KernelSlice(torch.autograd.Function):
    """Part of a kernel. Its gradient keeps the kernel's memory layout, unlike that of a plain slice, which saves a copy."""

    @staticmethod
    def forward(ctx: Any, kernel: Tensor, rows: slice, columns: slice) -> Tensor:
        ctx.save_for_backward(kernel)
        ctx.part = (slice(None), slice(None), rows, columns)
        return kernel[ctx.part].contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (kernel,) = ctx.saved_tensors
        full = torch.zeros_like(kernel)
        full[ctx.part] = gradient
        return full, None, None
