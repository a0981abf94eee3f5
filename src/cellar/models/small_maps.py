"""Convolutions of maps of a few pixels, as matrix products over the weights that touch the map.

On a 1x1 map, 8 of the 9 weights of a 3x3 kernel only ever multiply padding; and a convolution library reorders a kernel's
memory in every step, which costs more than the arithmetic where the kernel is larger than the map. So `fit` turns the
convolutions whose maps are small, and always of one size, into FittedConv2d, whose parameter is the `core`: the weights
that touch the map. No gradient reaches the others: what an optimizer does to them is two numbers (UntouchedWeights). The
state dict stays that of nn.Conv2d: the whole kernel, under its own name.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.errors import CellarError
from cellar.models.windows import Columns, Windows, windows_of

# Where it is the faster way (docs/performance.md): a matrix product moves few weights, and multiplies padding.
FEWEST_CHANNELS = {"fp32": 1, "bf16": 0.5}  # output channels for each output pixel of a batch; there must be more
WAY_OUT = "make it of a class of its own (class Plain(nn.Conv2d): pass), which stays as PyTorch has it"
Size = tuple[int, int]
Shape = tuple[int, int, int, int]


class FittedConv2d(nn.Conv2d):
    """An nn.Conv2d for maps (B, C, *size): the same outputs (B, O, H', W') and gradients, up to the order of sums.

    Parameters: `core` (O, rows * columns * C), the weights that touch the map, and `bias`. A weight that touches none is
    its value in `kernel` times `factor`. Maps of another size take the plain convolution, which gives no gradients here:
    raises CellarError in a training.
    """

    core: nn.Parameter
    kernel: Tensor  # (O, C, h, w); no buffer: what touches the map is out of date in it
    factor: float
    windows: Windows

    @staticmethod
    def replace(layer: nn.Conv2d, size: Size) -> None:
        """Turn a convolution into a fitted one where it stands."""
        weight, bias = layer._parameters.pop("weight"), layer._parameters.pop("bias")
        assert weight is not None
        layer.__class__ = FittedConv2d
        assert isinstance(layer, FittedConv2d)
        layer.windows, layer.kernel, layer.factor = windows_of(layer, size), weight.detach(), 1.0
        layer.register_parameter("core", nn.Parameter(layer.core_of(layer.kernel), weight.requires_grad))
        layer.register_parameter("bias", bias)

    def restore(self) -> None:
        """Turn this back into the plain convolution."""
        weight, bias = nn.Parameter(self.whole(), self.core.requires_grad), self._parameters.pop("bias")
        for name in ("core", "kernel", "factor", "windows"):
            delattr(self, name)
        self.__class__ = nn.Conv2d  # type: ignore[assignment]
        self.register_parameter("weight", weight)
        self.register_parameter("bias", bias)

    @property
    def part(self) -> tuple[Any, ...]:
        """Where a kernel (O, C, h, w) touches the map."""
        return (..., *(slice(window.taps.start, window.taps.stop) for window in self.windows))

    def core_of(self, kernel: Tensor) -> Tensor:
        """The part (O, rows * columns * C) of a kernel (O, C, h, w) that touches the map."""
        return kernel[self.part].permute(0, 2, 3, 1).reshape(len(kernel), -1).clone()

    @torch.no_grad()
    def whole(self) -> Tensor:
        """The weight (O, C, h, w) as it is now, a new tensor."""
        kernel = self.kernel * self.factor
        part = kernel[self.part]
        part.copy_(self.core.view(len(part), *part.shape[2:], -1).permute(0, 3, 1, 2))
        return kernel

    def forward(self, input: Tensor) -> Tensor:
        down, across = self.windows
        if input.shape[2:] != (down.size, across.size):
            return self.plain(input)
        columns: Tensor = Columns.apply(input.permute(0, 2, 3, 1), down, across)
        product = functional.linear(columns.view(-1, self.core.shape[1]), self.core, self.bias)
        return product.view(len(input), down.outputs, across.outputs, -1).permute(0, 3, 1, 2)

    @property
    def weight(self) -> Tensor:  # type: ignore[override]  # a parameter of nn.Conv2d
        raise CellarError(f"a network reads the weight of one of its convolutions itself; {WAY_OUT}")

    def plain(self, input: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            (height, width), (down, across) = input.shape[2:], self.windows
            raise CellarError(
                f"a convolution met feature maps of {down.size} x {across.size} and of {height} x {width} pixels in one "
                f"training; give it images of one size, or {WAY_OUT}"
            )
        output: Tensor = self._conv_forward(input, self.whole(), self.bias)
        return output

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "FittedConv2d":
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.kernel = fn(self.kernel)
        return self

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        destination[f"{prefix}weight"] = self.whole()
        if self.bias is not None:
            destination[f"{prefix}bias"] = self.bias if keep_vars else self.bias.detach()

    @torch.no_grad()
    def _load_from_state_dict(
        self,
        state: Any,
        prefix: str,
        metadata: Any,
        strict: bool,
        missing: list[str],
        surplus: list[str],
        errors: list[str],
    ) -> None:
        for name, tensor in {"weight": self.kernel, "bias": self.bias}.items():
            given = state.get(f"{prefix}{name}")
            if tensor is None:
                continue
            if given is None:
                missing.append(f"{prefix}{name}")
            elif given.shape != tensor.shape:
                errors.append(f"{prefix}{name} is {tuple(given.shape)}, not {tuple(tensor.shape)}")
            else:
                tensor.copy_(given)
        self.factor = 1.0
        self.core.copy_(self.core_of(self.kernel))


def fit(model: nn.Module, batch: Shape, precision: str) -> None:
    """Fit the convolutions of small maps of a network that takes images of the shape `batch` (B, 3, H, W)."""
    owners = Counter(id(parameter) for _, parameter in model.named_parameters(remove_duplicate=False))
    layers = [module for module in model.modules() if fits(module) and owners[id(module.weight)] == 1]
    for layer, sizes in map_sizes(model, layers, batch).items():
        size, outputs = next(iter(sizes))
        pixels = batch[0] * outputs[0] * outputs[1]
        if len(sizes) == 1 and layer.out_channels > FEWEST_CHANNELS[precision] * pixels:
            FittedConv2d.replace(layer, size)


def fits(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether a layer is a convolution that is plain but for kernel, stride and padding, with weights and a forward pass of
    its own, and none of whose outputs meets padding alone."""
    if type(layer) is not nn.Conv2d or layer._parameters.get("weight") is None or layer._forward_pre_hooks:
        return False
    if layer.groups > 1 or layer.dilation != (1, 1) or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return False
    return all(padding < kernel for padding, kernel in zip(layer.padding, layer.kernel_size, strict=True))


@torch.no_grad()
def map_sizes(model: nn.Module, layers: Sequence[nn.Conv2d], batch: Shape) -> dict[nn.Conv2d, set[tuple[Size, Size]]]:
    """Sizes of the maps that each of some layers reads and writes, from a forward pass in evaluation mode."""
    met: dict[nn.Conv2d, set[tuple[Size, Size]]] = defaultdict(set)
    if not layers:
        return met

    def note(layer: nn.Conv2d, inputs: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
        met[layer].add((size_of(inputs[0] if inputs else named["input"]), size_of(output)))

    hooks = [layer.register_forward_hook(note, with_kwargs=True) for layer in layers]
    modes = {module: module.training for module in model.modules()}
    images = torch.zeros(1, *batch[1:], dtype=layers[0].weight.dtype)
    try:
        model.eval()(images.contiguous(memory_format=torch.channels_last))
    finally:
        for module, training in modes.items():
            module.training = training
        for hook in hooks:
            hook.remove()
    return met


def size_of(maps: Tensor) -> Size:
    """Height and width of feature maps (B, C, H, W)."""
    height, width = maps.shape[2:]
    return height, width


def fitted(model: nn.Module) -> list[FittedConv2d]:
    """The fitted convolutions of a model."""
    return [module for module in model.modules() if isinstance(module, FittedConv2d)]


def restore(model: nn.Module, reason: str) -> None:
    """Restore the plain convolutions, and say why."""
    layers = fitted(model)
    for layer in layers:
        layer.restore()
    if layers:
        print(
            f"{len(layers)} convolutions of small maps take the slower plain path: {reason}",
            file=sys.stderr,
            flush=True,
        )


class UntouchedWeights:
    """SGD with momentum m and weight decay d on the weights that touch no map, in closed form.

    Their gradient is weight decay alone. So v <- m v + d w, w <- w - lr v keeps w and v multiples, `factor` and velocity, of
    the settled w: a step is a step of these two numbers, whatever the learning rate. Adam without weight decay, where m and d
    are 0, leaves such weights as they are.
    """

    def __init__(self, model: nn.Module, momentum: float, weight_decay: float) -> None:
        self.momentum, self.weight_decay, self.layers = momentum, weight_decay, fitted(model)
        self.velocities = [0.0] * len(self.layers)

    def step(self, learning_rate: float) -> None:
        """Follow an optimizer's step, of which the gradients are still there."""
        for number, layer in enumerate(self.layers):
            if layer.core.grad is not None:  # SGD leaves a weight without a gradient as it is
                self.velocities[number] = self.momentum * self.velocities[number] + self.weight_decay * layer.factor
                layer.factor -= learning_rate * self.velocities[number]

    def settle(self) -> None:
        """Multiply the factors into the kernels, as saving and loading does: so a resumed training has the same bytes."""
        for number, layer in enumerate(self.layers):
            layer.kernel.mul_(layer.factor)
            self.velocities[number] = self.velocities[number] / layer.factor if layer.factor else 0.0
            layer.factor = 1.0
