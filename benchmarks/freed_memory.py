"""What keeping freed memory is worth: training steps of ResEmoteNet with and without runtime.keep_freed_memory.

    python benchmarks/freed_memory.py        (make bench)

Each measurement is a process of its own, the two kinds in turn; medians. Writes results/bench/freed_memory.json.
"""

import subprocess
import sys
from statistics import median

from keeping import keep

BATCHES, ROUNDS = (16, 64), 3

STEPS = """
import sys, time, torch
from cellar import models
from cellar.engine import runtime
from cellar.methods.base import cross_entropy
keep, batch = sys.argv[1] == "kept", int(sys.argv[2])
torch.set_num_threads(2)
if keep: runtime.keep_freed_memory()
model = runtime.place(models.build("resemotenet", 7), torch.device("cpu"), (batch, 3, 48, 48))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)
inputs = torch.randn(batch, 3, 48, 48).contiguous(memory_format=torch.channels_last)
labels = torch.randint(7, (batch,))
seconds = []
for _ in range(6):
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    cross_entropy(model(inputs), labels).backward()
    optimizer.step()
    seconds.append(time.perf_counter() - start)
print(batch / sorted(seconds[2:])[2])
"""


def images_per_second(kind: str, batch: int) -> float:
    done = subprocess.run([sys.executable, "-c", STEPS, kind, str(batch)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    rows = []
    for batch in BATCHES:
        pairs = [(images_per_second("returned", batch), images_per_second("kept", batch)) for _ in range(ROUNDS)]
        returned, kept = (median(values) for values in zip(*pairs, strict=True))
        rows.append(
            {"batch": batch, "returned": round(returned, 1), "kept": round(kept, 1), "ratio": round(kept / returned, 2)}
        )
        print(rows[-1])
    keep("freed_memory", {"unit": "images/s, ResEmoteNet training step, 48 px, fp32, 2 threads", "rows": rows})


if __name__ == "__main__":
    main()
