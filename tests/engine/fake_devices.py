"""Networks and a GPU of PyTorch's fake tensors, which have shapes, types and devices but no content."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._pytree import tree_leaves, tree_map_only

from cellar.engine import runtime
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.runtime import Optimizer


def without_content(build: Callable[[], nn.Module], device: str) -> nn.Module:
    """A network on `device`; call it within a FakeTensorMode. Its first weights are not drawn: some look at their values."""
    with torch.device("meta"):
        model = build()
    return moved(model, lambda value: torch.empty_like(value, device=device))


def moved(model: nn.Module, move: Callable[[Tensor], Tensor]) -> nn.Module:
    """What nn.Module.to does; its own way exchanges the content of two tensors, which these do not have."""
    for module in model.modules():
        for name, value in module._parameters.items():
            if value is not None:
                module._parameters[name] = nn.Parameter(move(value.detach()), value.requires_grad)
        module._buffers.update(
            {name: value if value is None else move(value) for name, value in module._buffers.items()}
        )
    return model


class FakeGPU(FakeTensorMode):
    """Inside, `cuda` is a device. Its tensors are fake ones that carry their content along, on the CPU, so that code may look
    at it; an operator whose tensors are on different devices raises PyTorch's own error.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if func is torch.ops.prim.device.default:
            return leaves[0].device
        device = kwargs.get("device")
        if device is None:
            device = self.common_device(func, [as_fake(self, leaf) for leaf in leaves])
        else:
            kwargs["device"] = torch.device("cpu")
        given, named = tree_map_only(FakeTensor, content_of, (args, kwargs))
        owners = {id(content_of(leaf)): leaf for leaf in leaves}
        made = func(*given, **named)
        on_gpu = torch.device(device).type == "cuda"

        def returned(value: Tensor) -> Tensor:
            """What was changed in place is itself again."""
            return owners[id(value)] if id(value) in owners else as_fake(self, value, device) if on_gpu else value

        return tree_map_only(Tensor, returned, made)

    def common_device(self, func: Any, leaves: list[FakeTensor]) -> torch.device:
        """Of an operator's tensors; copies are between devices, and a GPU's tensor may be indexed by the CPU's."""
        if func.overloadpacket in (torch.ops.aten.copy_, torch.ops.aten.index):
            return leaves[0].device
        return FakeTensor._find_common_device(func, leaves)[0] if leaves else torch.device("cpu")


def as_fake(gpu: FakeGPU, value: Tensor, device: str | torch.device = "cpu") -> FakeTensor:
    """A fake tensor with this content, on `device`; one that is fake already stays as it is."""
    if isinstance(value, FakeTensor):
        return value
    with torch._C._DisableTorchDispatch():
        form = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    fake = FakeTensor(gpu, form, torch.device(device))
    fake.content = value  # type: ignore[attr-defined]
    return fake


def content_of(value: Tensor) -> Tensor:
    return value.content if isinstance(value, FakeTensor) else value  # type: ignore[attr-defined]


@contextmanager
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The engine on a machine with a fake GPU. No step is taken, for a derivative needs a real one, and none is saved."""
    device = torch.device("cuda")
    with monkeypatch.context() as patched, FakeGPU():
        patched.setattr(nn.Module, "_apply", lambda model, move, recurse=True: moved(model, move))
        patched.setattr(torch.autograd, "grad", lambda of, by, **_: [torch.zeros_like(one) for one in listed(by)])
        patched.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
        patched.setattr(torch.cuda, "is_bf16_supported", lambda: True)
        patched.setattr(torch.backends.cudnn, "enabled", False)  # its operators have no kernel on the CPU
        patched.setattr(torch.inference_mode, "__enter__", torch.no_grad.__enter__)  # fake tensors have no such mode
        patched.setattr(torch.inference_mode, "__exit__", torch.no_grad.__exit__)
        patched.setattr(runtime, "prepare", lambda threads: torch.set_num_threads(threads) or device)
        patched.setattr(runtime, "device_name", lambda device: "none")
        patched.setattr(Optimizer, "step", lambda optimizer, loss: check_step(optimizer, loss))
        patched.setattr(Optimizer, "end_epoch", lambda *_: None)  # PyTorch warns where no step was taken
        patched.setattr(Checkpoint, "save", lambda *_: None)
        yield device


def listed(tensors: Any) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def check_step(optimizer: Optimizer, loss: Tensor) -> None:
    parameters = [one for group in optimizer.optimizer.param_groups for one in group["params"]]
    assert {one.device.type for one in [loss, *parameters]} == {"cuda"} and loss.requires_grad
