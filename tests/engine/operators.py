"""PyTorch's own list of operators that raise on a GPU where determinism is demanded, and which of them some code uses."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

REFUSED = "operations will throw a"  # the words before the list in use_deterministic_algorithms' docstring
# Entries whose operator is not that of their own name. NAME(ARGUMENT): only where that argument is given.
OTHERWISE = {
    "torch.nn.MaxUnpool1d": ["max_unpool2d"],  # there is no other
    # Only the loss of maps: ATen raises in nll_loss2d_forward_out_cuda_template alone, not in nll_loss_forward.
    "torch.nn.NLLLoss": ["nll_loss2d_forward"],
    "torch.nn.CTCLoss": ["_ctc_loss_backward"],
    "torch.nn.EmbeddingBag": ["_embedding_bag_dense_backward", "_embedding_bag_backward"],
    "torch.bincount": ["bincount(weights)"],
    "torch.median": ["median(dim)", "nanmedian(dim)"],
    "torch.nn.functional.grid_sample": ["grid_sampler_2d_backward", "grid_sampler_3d_backward"],
}
UPSAMPLED = {"linear": "1d", "bilinear": "2d", "bicubic": "2d", "trilinear": "3d"}


def without_deterministic_kernel() -> dict[str, list[str]]:
    """Entry of the list, as it is documented -> the operators of ATen that raise for it on a CUDA device."""
    return {entry: operators_of(entry, text) for entry, text in entries() if concerns_cuda(entry, text)}


def entries() -> Iterator[tuple[str, str]]:
    """Name and text of each entry of the documented list."""
    documented = inspect.getdoc(torch.use_deterministic_algorithms) or ""
    _, found, rest = documented.partition(REFUSED)
    assert found, "the docstring of torch.use_deterministic_algorithms has another form; read it anew"
    listed = rest.partition("In addition")[0]
    for text in re.split(r"^\s*\* (?=:)", listed, flags=re.MULTILINE)[1:]:
        for name in re.findall(r":(?:class|func):`([\w.]+)`", text):
            yield name, text


def concerns_cuda(entry: str, text: str) -> bool:
    return "quantized" not in text and ("CUDA" in text or "MPS" not in text)


def operators_of(entry: str, text: str) -> list[str]:
    """ATen's operators of an entry: by its name, and only the backward one if only a derivative raises."""
    if entry == "torch.nn.functional.interpolate":
        modes = re.findall(r"``(\w+)``", text)
        names = [f"upsample_{mode}{UPSAMPLED[mode]}_backward" for mode in modes]
    elif entry in OTHERWISE:
        names = OTHERWISE[entry]
    else:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", entry.split(".")[-1]).lower()
        names = sorted(matching(name, "attempting to differentiate" in text))
    known = [name for name in names if name.partition("(")[0] in every_operator()]
    assert known, f"which of ATen's operators is {entry}? PyTorch lists it: {text.strip()!r}; say so in OTHERWISE"
    return known


def matching(name: str, backward: bool) -> set[str]:
    plain = name.rstrip("_")
    wanted = [f"{plain}_backward"] if backward else [plain, f"{plain}_"]
    return {operator for operator in every_operator() if operator.lstrip("_") in wanted}


def every_operator() -> set[str]:
    return {
        name.removeprefix("aten::").partition(".")[0]
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("aten::")
    }


class Recorded(TorchDispatchMode):
    """Notes the operators that run inside, and with which arguments: `bincount` and `bincount(weights)`."""

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        named = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)}
        given = [key for key, value in (named | (kwargs or {})).items() if value is not None]
        self.used |= {name, *(f"{name}({key})" for key in given)}
        return func(*args, **(kwargs or {}))


def refused(used: Iterable[str]) -> dict[str, list[str]]:
    """Entry of PyTorch's list -> its operators that are among those used."""
    used = set(used)
    found = {entry: sorted(used.intersection(names)) for entry, names in without_deterministic_kernel().items()}
    return {entry: names for entry, names in found.items() if names}
