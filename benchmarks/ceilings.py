"""What this machine can do at most, and how near the training step and the forward pass of each network come to it.

    python benchmarks/ceilings.py        (make bench)

Arithmetic: the better of a large matrix product and a large convolution, fp32 and bf16. Memory: a large copy. Steps: forward, backward and SGD with momentum
on random images; FLOPs are counted by torch, and each parameter costs what has to be read and written of it (TRAFFIC). Share: the time that these two
take at the ceilings, one after the other, of the time measured. Medians. Writes results/bench/ceilings.json.
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

THREADS, SIDE, REPEATS, WARM_UP = 2, 4096, 7, 6
STEPS = [("cnn4", 100, 32, 128), ("resnet8x4", 100, 32, 64), ("resnet32x4", 100, 32, 64), ("resemotenet_c", 7, 64, 16),
         ("resemotenet_b", 7, 64, 16), ("resemotenet_a", 7, 64, 16), ("resemotenet", 7, 64, 16), ("resemotenet", 7, 48, 16),
         ("resemotenet", 7, 48, 64)]  # name, classes, side of the image, batch  # fmt: skip
# Bytes of a parameter in a training step. Both: SGD reads weight, gradient, momentum and writes weight, momentum (20). fp32: read forward and
# backward, gradient written (12). bf16: cast (6), read twice (4), gradient written (2) and cast (6). A forward pass reads it, or casts and reads it.
TRAFFIC = {"fp32": {"training": 32, "forward": 4}, "bf16": {"training": 38, "forward": 8}}


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median over repeats, after some that are not counted: the allocator takes several to settle."""
    taken = []
    for _ in range(WARM_UP + repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken[WARM_UP:])


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
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, fused=True)

    def one() -> None:
        model.train()
        with runtime.autocast(images.device, precision):
            logits = model(images)
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(logits, labels).backward()
        optimizer.step()

    return one


def forward(model: nn.Module, images: torch.Tensor, precision: str) -> Callable[[], object]:
    @torch.inference_mode()
    def one() -> None:
        model.eval()
        with runtime.autocast(images.device, precision):
            model(images)

    return one


def flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def row_of(name: str, classes: int, side: int, batch: int, ceilings: dict[str, float]) -> dict[str, str | int | float]:
    """Rates and shares of one network, in training and forward alone."""
    images = torch.randn(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(classes, (batch,))
    row: dict[str, str | int | float] = {"model": name, "pixels": side, "batch": batch}
    for precision, traffic in TRAFFIC.items():
        model = runtime.place(models.build(name, classes), torch.device("cpu"), (batch, 3, side, side), precision)
        parameters = sum(one.numel() for one in model.parameters())
        kinds = {"training": step(model, images, labels, precision), "forward": forward(model, images, precision)}
        for kind, work in kinds.items():
            taken, work_done = seconds(work), flops(work)
            arithmetic = work_done / ceilings[f"{precision}_gflops"] / 1e9
            memory = parameters * traffic[kind] / ceilings["copy_gb_per_second"] / 1e9
            row[f"{kind}, {precision}: mflop/image"] = round(work_done / batch / 1e6)
            row[f"{kind}, {precision}: images/s"] = round(batch / taken)
            row[f"{kind}, {precision}: share"] = (
                f"{(arithmetic + memory) / taken:.2f} ({arithmetic / taken:.2f} + {memory / taken:.2f})"
            )
    return row


def main() -> None:
    runtime.prepare(THREADS)
    ceilings = {
        "fp32_gflops": gflops(torch.float32),
        "bf16_gflops": gflops(torch.bfloat16),
        "copy_gb_per_second": round(copy_gb_per_second(), 1),
    }
    print(ceilings)
    rows = []
    for case in STEPS:
        rows.append(row_of(*case, ceilings))
        print(rows[-1], flush=True)
    keep("ceilings", {"threads": THREADS, "ceilings": ceilings, "steps": rows})


if __name__ == "__main__":
    main()
