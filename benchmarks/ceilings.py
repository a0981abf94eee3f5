"""What this machine can do at most, and how near the training step of each network comes to it.

    python benchmarks/ceilings.py        (make bench)

Arithmetic: the better of a large matrix product and a large convolution, fp32 and bf16. Memory: a large copy. Steps: forward, backward and SGD on random
images, FLOPs counted by torch. Medians. Writes results/bench/ceilings.json.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from keeping import keep
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cellar import models
from cellar.engine import runtime
from cellar.methods.base import cross_entropy

THREADS, SIDE, REPEATS = 2, 4096, 7
STEPS = [("cnn4", 100, 32, 128), ("resnet8x4", 100, 32, 64), ("resnet32x4", 100, 32, 64), ("resemotenet_c", 7, 48, 32),
         ("resemotenet_b", 7, 48, 32), ("resemotenet", 7, 48, 32)]  # name, classes, side of the image, batch  # fmt: skip


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median over repeats, after two that are not counted."""
    taken = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken[2:])


def gflops(dtype: torch.dtype) -> int:
    """The better of a square matrix product and a convolution of 256 by 256 channels, 16 images of 32 x 32."""
    left, right = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    product = 2 * SIDE**3 / seconds(lambda: left @ right, 3)
    images = torch.randn(16, 256, 32, 32).to(dtype).contiguous(memory_format=torch.channels_last)
    layer = nn.Conv2d(256, 256, 3, padding=1, bias=False).to(dtype).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        convolution = 2 * images.numel() * 256 * 9 / seconds(lambda: layer(images))
    return round(max(product, convolution) / 1e9)


def copy_gb_per_second() -> float:
    """Bytes read and written by a copy too large for any cache."""
    source = torch.zeros(2**28, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2 * len(source) / seconds(lambda: target.copy_(source)) / 1e9


def step(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, precision: str) -> Callable[[], object]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)

    def one() -> None:
        with runtime.autocast(images.device, precision):
            logits = model(images)
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(logits, labels).backward()
        optimizer.step()

    return one


def main() -> None:
    device = runtime.prepare(THREADS)
    ceilings = {
        "fp32_gflops": gflops(torch.float32),
        "bf16_gflops": gflops(torch.bfloat16),
        "copy_gb_per_second": round(copy_gb_per_second(), 1),
    }
    print(ceilings)
    rows = []
    for name, classes, side, batch in STEPS:
        model = runtime.place(models.build(name, classes), device)
        images = torch.randn(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
        labels = torch.randint(classes, (batch,))
        with FlopCounterMode(display=False) as counter:
            step(model, images, labels, "fp32")()
        flops = counter.get_total_flops() / batch
        row: dict[str, str | int | float] = {"model": name, "batch": batch, "mflop_per_image": round(flops / 1e6)}
        for precision in ("fp32", "bf16"):
            rate = batch / seconds(step(model, images, labels, precision))
            row[f"{precision}_images_per_second"] = round(rate)
            row[f"{precision}_share_of_ceiling"] = round(rate * flops / 1e9 / ceilings[f"{precision}_gflops"], 3)
        rows.append(row)
        print(row)
    keep("ceilings", {"threads": THREADS, "ceilings": ceilings, "steps": rows})


if __name__ == "__main__":
    main()
