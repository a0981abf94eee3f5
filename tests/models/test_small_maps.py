"""What is left out of a kernel changes nothing: outputs and gradients are those of the whole one."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from cellar import models
from cellar.models.small_maps import SmallMapConv2d, effective_kernel_range

SHAPES = [(1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (5, 1)]


def learnt(layer: nn.Conv2d, x: Tensor) -> tuple[Tensor, ...]:
    x = x.clone().requires_grad_()
    out = layer(x)
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    assert (
        x.grad is not None and layer.weight.grad is not None and layer.bias is not None and layer.bias.grad is not None
    )
    return out.detach(), x.grad, layer.weight.grad, layer.bias.grad


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (5, 1, 2), (3, 3, 1), (1, 1, 0)])
def test_outputs_and_gradients_are_those_of_the_whole_kernel(
    shape: tuple[int, int], kernel: int, stride: int, padding: int
) -> None:
    torch.manual_seed(0)
    small = SmallMapConv2d(4, 6, kernel, stride=stride, padding=padding).double()
    plain = nn.Conv2d(4, 6, kernel, stride=stride, padding=padding).double()
    plain.load_state_dict(small.state_dict())
    x = torch.randn(3, 4, *shape, dtype=torch.float64)
    for mine, theirs in zip(learnt(small, x), learnt(plain, x), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    ("size", "stride", "taps"),
    [(1, 1, range(1, 2)), (1, 2, range(1, 2)), (2, 2, range(1, 3)), (2, 1, range(3)), (8, 1, range(3))],
)
def test_the_kernel_positions_that_overlap_the_map(size: int, stride: int, taps: range) -> None:
    assert effective_kernel_range(size, 3, stride, 1) == taps


def test_the_gradient_has_the_layout_of_its_kernel() -> None:
    """A fused optimizer on the CPU mixes up numbers of two layouts."""
    layer = SmallMapConv2d(4, 6, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    gradient = learnt(layer, torch.randn(2, 4, 1, 1))[2]
    assert gradient.stride() == layer.weight.stride() and not gradient.is_contiguous()


def test_it_can_be_derived_twice() -> None:
    """Meta-learning goes through a gradient's own gradient."""
    torch.manual_seed(0)
    layer = SmallMapConv2d(2, 3, 3, padding=1).double()
    x = torch.randn(2, 2, 1, 1, dtype=torch.float64, requires_grad=True)

    def answer(x: Tensor, weight: Tensor) -> Tensor:
        return functional_call(layer, {"weight": weight}, (x,)).pow(2)

    assert torch.autograd.gradcheck(answer, (x, layer.weight))
    assert torch.autograd.gradgradcheck(answer, (x, layer.weight))


def test_resemotenet_does_less() -> None:
    def flops(network: nn.Module) -> int:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(torch.zeros(1, 3, 48, 48))
        return counter.get_total_flops()

    network = models.build("resemotenet_c", 7).eval()
    whole = copy.deepcopy(network)
    for module in whole.modules():
        if isinstance(module, SmallMapConv2d):
            module.__class__ = nn.Conv2d
    assert flops(network) < 0.9 * flops(whole)
    x = torch.randn(2, 3, 48, 48)
    torch.testing.assert_close(network(x), whole(x), rtol=1e-4, atol=1e-5)
