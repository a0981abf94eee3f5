"""ResEmoteNet's training steps and forward passes: this checkout, the commit before small maps had a way of their own, and
plain PyTorch (its default layout and allocator), a tenth of a second in turn.

    python benchmarks/small_maps.py        (make bench)

Each kind is a process of its own that makes steps when it is told to. Ratios: median over the rounds, and the quartiles.
Writes results/bench/small_maps.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from keeping import keep

BEFORE = "27c3ff7"
ROUNDS, WARM_UP = 11, 6
CASES = [  # network, pixels, batch, precision, threads, what
    ("resemotenet", 64, 16, "bf16", 2, "training step"),
    ("resemotenet", 48, 16, "bf16", 2, "training step"),
    ("resemotenet", 48, 64, "bf16", 2, "training step"),
    ("resemotenet", 48, 16, "fp32", 1, "training step"),
    ("resemotenet_a", 64, 16, "bf16", 2, "training step"),
    ("resemotenet_b", 64, 16, "bf16", 2, "training step"),
    ("resemotenet_c", 64, 16, "bf16", 2, "training step"),
    ("resemotenet_b", 48, 16, "fp32", 1, "training step"),
    ("resemotenet", 64, 128, "bf16", 2, "forward pass"),
    ("resemotenet", 48, 128, "fp32", 1, "forward pass"),
    ("resemotenet_b", 48, 128, "fp32", 1, "forward pass"),
]

RECIPE = {
    "epochs": 1, "batch_size": 2, "learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.0001, "class_weighting": "none",
    "schedule": {"step": {"every": 1, "factor": 0.5}}, "select_on": "last_epoch",
}  # fmt: skip

STEPS = """
import inspect, json, sys, time, torch
from cellar import models
from cellar.config import Recipe
from cellar.engine import runtime
from cellar.methods.base import cross_entropy
kind, name, size, batch, precision, threads, what, recipe = sys.argv[1:]
size, batch, device = int(size), int(batch), torch.device("cpu")
if kind == "plain":
    torch.set_num_threads(int(threads))
else:
    runtime.prepare(int(threads))
model, inputs = models.build(name, 7), torch.randn(batch, 3, size, size)
if kind != "plain":
    fits = "batch" in inspect.signature(runtime.place).parameters
    model = runtime.place(model, device, *([(batch, 3, size, size), precision] if fits else []))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
recipe = Recipe.model_validate(json.loads(recipe) | {"batch_size": batch})
if kind == "plain":
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.__class__ = torch.nn.Dropout
    sgd = torch.optim.SGD(model.parameters(), 0.001, 0.9, weight_decay=0.0001)
else:
    optimizer = runtime.Optimizer(model, recipe)
labels = torch.arange(batch) % 7
def train():
    with runtime.autocast(device, precision):
        logits = model(inputs)
    loss = cross_entropy(logits, labels)
    if kind == "plain":
        sgd.zero_grad(); loss.backward(); sgd.step()
    else:
        optimizer.step(loss)
def forward():
    with torch.inference_mode(), runtime.autocast(device, precision):
        model(inputs)
work = train if what == "training step" else forward
model.train(what == "training step")
for _ in sys.stdin:
    steps, start = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - start < 0.1:  # a short step runs several times: the first finds cold caches
        work()
        steps += 1
    print((time.perf_counter() - start) / steps, flush=True)
"""

Case = tuple[str, int, int, str, int, str]


def process(kind: str, source: Path, case: Case) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(source)}
    command = [sys.executable, "-c", STEPS, kind, *map(str, case), json.dumps(RECIPE)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def seconds(running: "subprocess.Popen[str]") -> float:
    """Of a step of a process that waits for a line."""
    assert running.stdin is not None and running.stdout is not None
    print(file=running.stdin, flush=True)
    line = running.stdout.readline()
    if not line:
        raise SystemExit(f"a process ended: {' '.join(map(str, running.args[3:]))}")  # type: ignore[index]
    return float(line)


def measure(case: Case, sources: dict[str, Path]) -> dict[str, Any]:
    with ExitStack() as stack:
        running = {kind: stack.enter_context(process(kind, source, case)) for kind, source in sources.items()}
        rounds = [{kind: seconds(one) for kind, one in running.items()} for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
        for one in running.values():
            one.kill()
    name, size, batch, precision, threads, what = case
    row: dict[str, Any] = {"what": f"{what}, {name}, {size} px, batch {batch}, {precision}, {threads} threads"}
    row |= {f"{kind} images/s": round(batch / median(one[kind] for one in rounds)) for kind in running}
    for kind in [one for one in running if one != "this"]:
        ratios = [one[kind] / one["this"] for one in rounds]
        low, middle, high = quantiles(ratios, n=4)
        row[f"ratio to {kind}"], row[f"quartiles, {kind}"] = round(middle, 2), f"{low:.2f} to {high:.2f}"
    return dict(sorted(row.items(), key=lambda item: item[0] != "what"))


def source_of(commit: str, folder: Path) -> Path:
    """The folder src of a commit."""
    archive = subprocess.run(["git", "archive", commit, "src"], stdout=subprocess.PIPE, check=False)
    if archive.returncode:
        raise SystemExit(
            f"this clone lacks commit {commit}, with which it is compared; fetch it: git fetch --unshallow"
        )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder / "src"


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path("src").resolve()
        sources = {"this": here, "before": source_of(BEFORE, Path(folder)), "plain": here}
        for case in CASES:
            rows.append(measure(case, sources))
            print(rows[-1], flush=True)
    keep("small_maps", {"before": BEFORE, "rounds": ROUNDS, "rows": rows})


if __name__ == "__main__":
    main()
