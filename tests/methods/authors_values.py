"""Losses and gradients of the authors' own code (tests/reference/kd_losses), and the comparison of a loss with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).parents[1] / "reference/kd_losses"
TOLERANCE = 1e-6  # of the largest entry of a tensor, in float64
ROUNDING = 1e-12  # where the true value is 0
IN_FLOAT32 = 1e-4  # of the loss, unless the authors' own code is further off
Values = dict[str, Any]
Loss = Callable[[dict[str, Tensor], Values], Tensor]


def settings_of(method: str) -> list[str]:
    """Names of the settings of a method: of every file that lies there."""
    found = sorted(path.stem for path in FOLDER.glob("*.npz") if path.stem.partition("__")[0] == method)
    assert found, f"no reference values of {method}"
    return found


def arrays_of(setting: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{setting}.npz") as file:
        return dict(file)


def values_of(arrays: dict[str, np.ndarray]) -> Values:
    """Hyper-parameters by name, single numbers as Python has them."""
    return {key.removeprefix("hp_"): array.tolist() for key, array in arrays.items() if key.startswith("hp_")}


def inputs_of(arrays: dict[str, np.ndarray], dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Tensors by name; those with a published gradient ask for one."""
    inputs = {}
    for key, array in arrays.items():
        if key.startswith(("student_", "teacher_", "aux_", "labels", "soft_labels")):
            tensor = torch.from_numpy(array)
            inputs[key] = tensor.to(dtype) if tensor.is_floating_point() else tensor
            inputs[key].requires_grad_(f"grad_{key}" in arrays)
    return inputs


def assert_agrees(setting: str, loss_of: Loss) -> None:
    """The loss and all its gradients are the authors' in float64; in float32 it is near, and they are finite."""
    arrays = arrays_of(setting)
    gradients = [key for key in arrays if key.startswith("grad_") and not key.endswith("_note")]
    assert gradients
    inputs = inputs_of(arrays)
    loss = loss_of(inputs, values_of(arrays))
    assert_close(loss, arrays["loss"], f"{setting}: loss")
    loss.backward()
    for key in gradients:
        assert_close(gradient_of(inputs, key), arrays[key], f"{setting}: {key}")

    inputs = inputs_of(arrays, torch.float32)
    loss = loss_of(inputs, values_of(arrays))
    wanted, theirs = float(arrays["loss"]), float(arrays["loss_float32"])
    off = 2 * abs(theirs - wanted) if np.isfinite(theirs) else 0.0
    assert loss.dtype == torch.float32
    assert abs(loss.item() - wanted) <= max(IN_FLOAT32 * abs(wanted), off), f"{setting}: {loss.item()} in float32"
    loss.backward()
    assert all(gradient_of(inputs, key).isfinite().all() for key in gradients), setting


def gradient_of(inputs: dict[str, Tensor], key: str) -> Tensor:
    """The gradient with respect to the array of `grad_<name>`."""
    gradient = inputs[key.removeprefix("grad_")].grad
    assert gradient is not None, key
    return gradient


def assert_close(found: Tensor, wanted: np.ndarray, what: str) -> None:
    assert found.isfinite().all(), what
    tolerance = max(TOLERANCE * np.abs(wanted).max(), ROUNDING)
    difference = np.abs(found.detach().numpy().reshape(wanted.shape) - wanted).max()
    assert difference <= tolerance, f"{what}: differs by {difference:.3g}, {tolerance:.3g} is allowed"
