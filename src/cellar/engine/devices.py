"""The device a stage runs on: found, not configured; deterministic on either kind."""

import ctypes
import os
import platform
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import nn


def prepare(threads: int) -> torch.device:
    """Set threads and determinism for this process; return CUDA's device if there is one, else the CPU."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    # As use_deterministic_algorithms(True), which imports torch's compiler besides: 1.5 s a stage.
    torch.set_deterministic_debug_mode("error")
    # It would also fill every fresh tensor, for code that reads what nothing wrote: a twelfth of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property, set by name
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def keep_freed_memory() -> None:
    """Have glibc's malloc keep large freed blocks for the next step instead of returning them to the system.

    A training step frees and takes again hundreds of MB of gradients; as fresh pages each time, that costs
    more than the arithmetic (ResEmoteNet at batch 16 is 2.7 times faster with this: docs/performance.md).
    """
    mmap_max, trim_threshold = -4, -1  # M_MMAP_MAX, M_TRIM_THRESHOLD of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:  # glibc only
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model to `device`, channels last, the faster layout for convolutions on both kinds."""
    return model.to(device).to(memory_format=torch.channels_last)


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 where the parameter `precision` asks for it, else plain float32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def name(device: torch.device) -> str:
    """The processor's own name, as it is recorded."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
