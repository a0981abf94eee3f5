"""Costs of a model: parameters and bytes, counted; latency and memory, measured by a stated protocol."""

import importlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cellar import models

TORCHVISION = "torchvision:"  # begins the name of a network that torchvision builds
MB = 2**20

PROTOCOL = (
    "eval mode, inference mode, float32, channels last, inputs of random noise made beforehand; {warmup} "
    "warm-up batches, then {repeats} batches timed one by one with a monotonic clock (synchronised before and "
    "after on a GPU); nothing else run by the pipeline meanwhile. Memory: {memory}, from before the model is "
    "built to the last batch of the largest size: weights, inputs, activations, the libraries' work space"
)
GPU_MEMORY = "growth to the peak of allocated device memory"
CPU_MEMORY = "growth to the peak of the process's resident memory"
CPU_MEMORY_SINCE_START = (  # where the kernel cannot reset an earlier peak
    "growth to the peak of the process's resident memory, or to an earlier peak if that was higher"
)


def count(model: nn.Module) -> dict[str, float | int]:
    """Parameters, buffer elements, and the parameters' fp32 megabytes by both conventions, 10^6 and 2^20."""
    parameters = sum(p.numel() for p in model.parameters())
    return {
        "parameters": parameters,
        "buffers": sum(b.numel() for b in model.buffers()),
        "mb_decimal": round(parameters * 4 / 1e6, 2),
        "mb_binary": round(parameters * 4 / MB, 2),
    }


def build(name: str, classes: int, file: str | None = None) -> nn.Module:
    """A network whose last layer has `classes` outputs; "name(N)" is `name`, "torchvision:name(N)" torchvision's."""
    name = name.partition("(")[0]
    if not name.startswith(TORCHVISION):
        return models.build(name, classes, file)
    zoo = importlib.import_module("torchvision.models")
    network: nn.Module = getattr(zoo, name.removeprefix(TORCHVISION))(num_classes=classes)
    return network


def count_all(networks: Iterable[tuple[str, int, str | None]]) -> dict[str, dict[str, float | int]]:
    """The counts of networks by (name, classes, file), built without memory for their weights."""
    with torch.device("meta"):
        return {name: count(build(name, classes, file)) for name, classes, file in networks}


def measure(
    build: Callable[[], nn.Module],
    input_shape: tuple[int, int, int],
    batch_sizes: Sequence[int],
    warmup: int,
    repeats: int,
    device: torch.device,
) -> dict[str, Any]:
    """Latency for each batch size and peak memory of the model that `build` returns; inputs (B, *input_shape).

    Times in ms, memory in MB of 2**20 bytes. The model is built here, because memory is counted from before it exists.
    """
    from cellar.engine import runtime  # counting needs none of it

    before, memory = start_memory_peak(device)
    model = runtime.place(build(), device).eval()
    latency = {str(size): timed(model, input_shape, size, warmup, repeats, device) for size in sorted(batch_sizes)}
    peak = memory_peak(device) - before
    return {
        "input_shape": list(input_shape),
        "device": device.type,
        "device_name": runtime.device_name(device),
        "threads": torch.get_num_threads(),
        "precision": "fp32",
        "warmup": warmup,
        "repeats": repeats,
        "protocol": PROTOCOL.format(warmup=warmup, repeats=repeats, memory=memory),
        "parameters": count(model)["parameters"],
        "latency": latency,
        "peak_memory_mb": round(peak / MB, 2),
    }


@torch.inference_mode()
def timed(
    model: nn.Module,
    shape: tuple[int, int, int],
    batch: int,
    warmup: int,
    repeats: int,
    device: torch.device,
) -> dict[str, float]:
    """Median and 95th percentile of the time of one batch, in milliseconds."""
    inputs = torch.randn(batch, *shape, device=device).contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(warmup + repeats):
        synchronise(device)
        start = time.perf_counter()
        model(inputs)
        synchronise(device)
        seconds.append(time.perf_counter() - start)
    median, p95 = np.percentile(np.array(seconds[warmup:]) * 1000, [50, 95])
    return {
        "median_ms_per_batch": round(float(median), 4),
        "p95_ms_per_batch": round(float(p95), 4),
        "median_ms_per_image": round(float(median) / batch, 4),
    }


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def start_memory_peak(device: torch.device) -> tuple[int, str]:
    """Reset the peak; return the bytes in use now and, in words, what will be measured."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device), GPU_MEMORY
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: resets VmHWM to what is resident now
    except OSError:
        return status_bytes("VmRSS"), CPU_MEMORY_SINCE_START
    return status_bytes("VmRSS"), CPU_MEMORY


def memory_peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else status_bytes("VmHWM")


def status_bytes(key: str) -> int:
    """A line of Linux's /proc/self/status, which counts in kB of 1024 bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))
