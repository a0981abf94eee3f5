"""Dropout by two random bytes per element: how many it drops, what it keeps, and from which numbers."""

import pytest
import torch
from torch import Tensor

from cellar.models.dropout import Dropout


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_it_drops_the_share_and_keeps_the_mean(p: float) -> None:
    x = torch.ones(1000, 1000, dtype=torch.float64)
    out = Dropout(p)(x)
    kept = out != 0
    assert (1 - kept.double().mean()).item() == pytest.approx(p, abs=4 * (p * (1 - p) / x.numel()) ** 0.5)
    assert out[kept].unique().tolist() == pytest.approx([1 / (1 - p)], rel=1e-4)
    columns, rows = kept.double().mean(0), kept.double().mean(1)  # no pattern in the four numbers of one draw
    assert max(abs(columns - columns.mean()).max(), abs(rows - rows.mean()).max()) < 5.5 * (p * (1 - p) / 1000) ** 0.5


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4, 7), (1,), (0, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_is_that_of_what_was_kept(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = (torch.rand(shape) + 1).to(dtype).requires_grad_()
    out = Dropout(0.5)(x)
    out.backward(torch.ones_like(out))
    assert x.grad is not None and torch.equal(out.detach(), x.detach() * x.grad) and out.dtype == dtype
    assert set(x.grad.unique().tolist()) <= {0.0, 2.0}


def layouts() -> list[Tensor]:
    x = torch.randn(2, 8, 6, 6)
    return [
        x,
        x.contiguous(memory_format=torch.channels_last),
        x[:, ::2],
        x.expand(2, 8, 6, 6),
        x[:1].expand(4, 8, 6, 6),
    ]


@pytest.mark.parametrize("x", layouts(), ids=["plain", "channels last", "with gaps", "expanded", "repeated"])
def test_any_layout(x: Tensor) -> None:
    out = Dropout(0.5)(x)
    kept = out != 0
    assert torch.equal(out[kept], 2 * x[kept]) and 0.3 < kept.double().mean() < 0.7


def test_torch_s_seed_decides_and_threads_do_not() -> None:
    x = torch.ones(64, 64)
    first = Dropout(0.5)(x)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    again = Dropout(0.5)(x)
    torch.set_num_threads(threads)
    assert torch.equal(first, again) and not torch.equal(first, Dropout(0.5)(x))


def test_in_evaluation_and_at_the_ends_it_is_pytorch_s() -> None:
    x = torch.randn(8, 8)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x) and not Dropout(1.0)(x).any()
    torch.testing.assert_close(Dropout(1e-7)(x), x)
    assert not Dropout(1 - 1e-7)(x).any()
