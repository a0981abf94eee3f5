"""What two trainings of one thread each bring on two cores, beside one of two threads: why params.yaml says threads: 1.

    python benchmarks/side_by_side.py        (make bench)

Each training is a process of its own; one of two threads, then two of one thread at once, in turn; medians. Writes
results/bench/side_by_side.json.
"""

import subprocess
import sys
from statistics import median

from keeping import keep

PAIRS = [  # model, pixels, batch, precision; twice the same at once, or two of one run that would meet
    [("resemotenet_a", 48, 16, "fp32")],
    [("resemotenet_b", 48, 16, "fp32")],
    [("resemotenet_c", 48, 16, "fp32")],
    [("resnet8x4", 32, 32, "fp32")],
    [("cnn4", 32, 32, "fp32")],
    [("resnet18", 64, 16, "fp32")],
    [("convnet9", 146, 16, "fp32")],
    [("resnet32x4", 32, 64, "bf16"), ("cnn4", 32, 128, "bf16")],
    [("resemotenet", 48, 64, "bf16"), ("resemotenet_a", 48, 64, "bf16")],
]
SECONDS, ROUNDS = 8, 3

STEPS = """
import sys, time, torch
from cellar import models
from cellar.engine import runtime
from cellar.methods.base import cross_entropy
threads, name, size, batch, precision, seconds = sys.argv[1:]
size, batch, seconds = int(size), int(batch), float(seconds)
device = runtime.prepare(int(threads))
model = runtime.place(models.build(name, 7 if size == 48 else 100), device, (batch, 3, size, size), precision)
optimizer = torch.optim.SGD(model.parameters(), lr=0.0001, momentum=0.9)
inputs = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
labels = torch.randint(7, (batch,))
steps, start = -2, 0.0
while steps < 1 or time.perf_counter() - start < seconds:
    if steps == 0:
        start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with runtime.autocast(device, precision):
        loss = cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    steps += 1
print(steps * batch / (time.perf_counter() - start))
"""


def images_per_second(threads: int, *trainings: tuple[str, int, int, str]) -> list[float]:
    """Of each of some trainings, all at once."""
    commands = [[sys.executable, "-c", STEPS, *map(str, (threads, *one, SECONDS))] for one in trainings]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    return [float(one.communicate()[0]) for one in running]


def measure(first: tuple[str, int, int, str], second: tuple[str, int, int, str]) -> dict[str, str | float]:
    """`gain`: how much of what it would do alone on both cores each of the two does, added up."""
    rounds = [
        (*(images_per_second(2, one)[0] for one in (first, second)), *images_per_second(1, first, second))
        for _ in range(ROUNDS)
    ]
    alone_1, alone_2, beside_1, beside_2 = (median(values) for values in zip(*rounds, strict=True))
    return {
        "trainings": f"{described(first)} beside {described(second) if second != first else 'another'}",
        "one_after_the_other": f"{alone_1:.0f}, {alone_2:.0f}",
        "side_by_side": f"{beside_1:.0f}, {beside_2:.0f}",
        "gain": round(beside_1 / alone_1 + beside_2 / alone_2, 2),
    }


def described(training: tuple[str, int, int, str]) -> str:
    model, size, batch, precision = training
    return f"{model}, {size} px, batch {batch}, {precision}"


def main() -> None:
    rows = []
    for pair in PAIRS:
        rows.append(measure(pair[0], pair[-1]))
        print(rows[-1], flush=True)
    keep("side_by_side", {"unit": "images/s of training steps", "rounds": ROUNDS, "rows": rows})


if __name__ == "__main__":
    main()
