"""Reference values of distillation losses, from their authors' code (tests/reference/kd_losses/README.md)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent.parent / "reference/kd_losses"
COUNTER = "num_batches_tracked"
TOLERANCE, ROUNDING = 1e-6, 1e-15  # of the largest entry of a tensor; of one whose true values are 0
INPUTS = ("student_", "teacher_", "aux_", "labels", "soft_labels")
Values = dict[str, Any]
Loss = Callable[[dict[str, Tensor], Values], Tensor]


def settings_of(*methods: str) -> list[str]:
    """Names of the files of some methods: `<method>` and `<method>__<setting>`, whatever lies in the folder."""
    found = sorted(path.stem for path in FOLDER.glob("*.npz") if path.stem.partition("__")[0] in methods)
    assert {name.partition("__")[0] for name in found} == set(methods), f"no reference values of one of {methods}"
    return found


def assert_agrees(setting: str, loss_of: Loss) -> None:
    """A loss of (inputs by name, hyper-parameters) and all its gradients are the authors' in float64; in float32 it is as exact
    as theirs."""
    given = Reference(setting)
    given.agrees(loss_of(given.inputs(), given.hyperparameters()))
    given = Reference(setting, torch.float32)
    assert given.is_close_in_float32(loss_of(given.inputs(), given.hyperparameters()))


def assert_close(found: Tensor, wanted: np.ndarray, what: str) -> None:
    wanted = wanted.astype(np.float64)
    error = np.abs(found.detach().numpy().reshape(wanted.shape) - wanted).max()
    largest = np.abs(wanted).max()
    assert error <= max(TOLERANCE * largest, ROUNDING), f"{what}: off by {error} of {largest}"


class Reference:
    """One file: its arrays as tensors of `dtype`; what the authors' gradient is known of, requires one."""

    def __init__(self, name: str, dtype: torch.dtype = torch.float64) -> None:
        self.dtype = dtype
        with np.load(FOLDER / f"{name}.npz") as file:
            self.arrays = {key: file[key] for key in file.files}
        self.leaves: dict[str, Tensor] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def hp(self, name: str) -> Any:
        return self.arrays[f"hp_{name}"].tolist()

    def hyperparameters(self) -> Values:
        """By name, single numbers as Python has them."""
        return {key.removeprefix("hp_"): array.tolist() for key, array in self.arrays.items() if key.startswith("hp_")}

    def inputs(self) -> dict[str, Tensor]:
        """Tensors by name; those of which the authors' gradient is known require one."""
        return {key: self.leaf(key) for key in self.arrays if key.startswith(INPUTS)}

    def value(self, key: str) -> Tensor:
        """An array that nothing is differentiated by."""
        array = torch.from_numpy(np.asarray(self.arrays[key]))
        return array.to(self.dtype) if array.is_floating_point() else array

    def leaf(self, key: str) -> Tensor:
        tensor = self.value(key).clone().requires_grad_(f"grad_{key}" in self.arrays)
        self.leaves[key] = tensor
        return tensor

    def leaves_of(self, prefix: str) -> list[Tensor]:
        """<prefix>_0, <prefix>_1, ..."""
        count = sum(key.startswith(f"{prefix}_") and key.removeprefix(f"{prefix}_").isdigit() for key in self.arrays)
        return [self.leaf(f"{prefix}_{number}") for number in range(count)]

    def maps(self, kind: str = "features") -> list[tuple[Tensor, Tensor]]:
        """Pairs of student's and teacher's maps."""
        return list(zip(self.leaves_of(f"student_{kind}"), self.leaves_of(f"teacher_{kind}"), strict=True))

    def vectors(self) -> tuple[Tensor, Tensor]:
        return self.leaf("student_embedding"), self.leaf("teacher_embedding")

    def fill(self, module: nn.Module, names: Mapping[str, str]) -> nn.Module:
        """Give a module the authors' weights: prefix of ours -> prefix of theirs. Each of the module's tensors gets one."""
        module.to(self.dtype)
        state = {name: tensor for name, tensor in module.state_dict(keep_vars=True).items() if COUNTER not in name}
        missing = set(state)
        for ours, theirs in names.items():
            for kind in ("aux_", "aux_buf_"):
                for key in [key for key in self.arrays if key.startswith(f"{kind}{theirs}")]:
                    name = ours + key.removeprefix(f"{kind}{theirs}")
                    if name in missing:
                        state[name].data.copy_(self.value(key))
                        self.leaves[key] = state[name]
                        missing.discard(name)
        assert not {name for name in missing if "running" not in name}
        if self.arrays.get("hp_batchnorm_mode", np.array("train")).item() == "eval":
            module.eval()
        return module

    def classifier(self) -> nn.Linear:
        weight, bias = self.value("teacher_classifier_weight"), self.value("teacher_classifier_bias")
        layer = nn.Linear(weight.shape[1], len(weight)).to(self.dtype).requires_grad_(False)
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        return layer

    def agrees(self, loss: Tensor, wanted: Tensor | str = "loss") -> None:
        """The loss within 1e-9, and all known gradients within 1e-6 of their largest entry."""
        wanted = self.value(wanted) if isinstance(wanted, str) else wanted
        torch.testing.assert_close(loss.detach().reshape(()), wanted, rtol=1e-9, atol=1e-15)
        loss.backward()
        wanted_of = [key for key in self.arrays if key.startswith("grad_") and not key.endswith("_note")]
        assert wanted_of
        for key in wanted_of:
            assert_close(self.gradient(key.removeprefix("grad_")).double(), self.arrays[key], key)

    def gradient(self, key: str) -> Tensor:
        """Of a leaf; zeros where the loss does not depend on it."""
        leaf = self.leaves[key]
        return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad

    def is_close_in_float32(self, loss: Tensor) -> bool:
        """As exact as the authors' code in float32, or to 5e-6; gradients are finite."""
        assert loss.dtype == torch.float32
        exact, theirs = float(self.arrays["loss"]), float(self.arrays["loss_float32"])
        allowed = 4 * abs(theirs - exact) if np.isfinite(theirs) else 0.0
        loss.backward()
        finite = all(leaf.grad.isfinite().all() for leaf in self.leaves.values() if leaf.grad is not None)
        return finite and abs(loss.item() - exact) <= max(allowed, 5e-6 * abs(exact))
