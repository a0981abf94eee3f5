"""What a GPU has to show, in 8 minutes at most: that it trains, gives the same bytes, and how fast it is.

    python benchmarks/gpu_check.py        (make gpu_check)

Each part (gpu_parts.py) is a process with a time limit of its own. One that fails is reported with its reason, the others
still run, and the exit code is 1. Nothing is downloaded. Without a GPU every part runs on the CPU, at a tiny size, and the
result says so: then it shows only that the check itself works. Writes results/bench/gpu.json.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gpu_parts
import torch
from keeping import keep

WHOLE = 470  # seconds, of all parts together
PATIENCE = 1 if gpu_parts.ON_GPU else 4  # how many times as long a part may take on a CPU, which may have other work
LIMITS = {  # part -> seconds that it may take
    "tests": 100,
    "determinism": 45,
    **{f"step {kind}": 45 if "compiled" in kind else 25 for kind in gpu_parts.KINDS},
    "two jobs": 50,
    "epochs": 100,
}
LABEL = (
    "NOT RUN ON A GPU: no GPU was there, so every part ran on the CPU at a tiny size. It shows that the check works; none of "
    "its figures says anything about a GPU."
)


def measure(part: str, limit: float) -> dict[str, Any]:
    """A part's result, with its seconds; or the reason, in one line, why there is none."""
    start = time.perf_counter()
    command = [sys.executable, str(Path(gpu_parts.__file__).resolve()), part]
    with tempfile.TemporaryDirectory() as folder:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/compiled"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = running.communicate(timeout=max(limit, 1))[0]
            found = result_of(said, running.returncode)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # and the processes that it started
            running.communicate()
            found = {"failed": f"not done in {limit:.0f} s"}
    return {"part": part, **found, "seconds": round(time.perf_counter() - start, 1)}


def result_of(said: str, code: int) -> dict[str, Any]:
    """The last line of JSON that a part has printed is its result; where there is none, or it failed, the reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it printed nothing"]
    results = [line for line in lines if line.startswith("{")]
    if code or not results:
        errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Failed|Unsupported)\b", line)]
        return {"failed": (errors or lines)[-1][:300]}
    found: dict[str, Any] = json.loads(results[-1])
    return found


def surroundings() -> dict[str, Any]:
    """The device and the versions that a figure depends on."""
    if not torch.cuda.is_available():
        return {"ran_on_gpu": False, "label": LABEL, "torch": torch.__version__, "cuda": torch.version.cuda}
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    return {
        "ran_on_gpu": True,
        "device": torch.cuda.get_device_name(),
        "memory_gb": round(torch.cuda.get_device_properties(0).total_memory / 1e9, 1),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": driver[0] if driver else None,
    }


def main() -> int:
    facts, parts, end = surroundings(), [], time.perf_counter() + WHOLE * PATIENCE
    print(facts.get("label") or f"{facts['device']}, driver {facts['driver']}", flush=True)
    for part, limit in LIMITS.items():
        left = end - time.perf_counter()
        parts.append(
            measure(part, min(limit * PATIENCE, left)) if left > 1 else {"part": part, "failed": "no time was left"}
        )
        print(json.dumps(parts[-1]), flush=True)
    failed = [part["part"] for part in parts if "failed" in part]
    keep("gpu", {**facts, "units": gpu_parts.UNITS, "failed_parts": failed, "parts": parts})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
