"""How fast the exported files are: one image at a time, on one core."""

import time
from typing import Any

import numpy as np
import onnxruntime

from cellar import files, paths
from cellar.deployment.export.session import FP32, INT8, Student
from cellar.deployment.export.settings import TimingOfExport

PROTOCOL = (
    "onnxruntime on the CPU, one thread, batches of one image of the size that the network sees, preprocessing "
    "included; {warmup} runs to warm up, then {repeats} timed in groups with a monotonic clock; nothing else run by "
    "the pipeline meanwhile"
)
RUNS_PER_REPEAT = 20  # one run takes less than a millisecond: a repeat is the mean of so many


def run(settings: TimingOfExport) -> dict[str, Any]:
    """Write the times of both files; return facts for the run record."""
    latency = {name: timed(settings, file) for name, file in (("fp32", FP32), ("int8", INT8))}
    how = {"warmup": settings.warmup, "repeats": settings.repeats, "threads": 1}
    protocol = PROTOCOL.format(warmup=settings.warmup * RUNS_PER_REPEAT, repeats=settings.repeats * RUNS_PER_REPEAT)
    found = {"export": settings.item, **how, "protocol": protocol, "latency": latency}
    files.write_json(paths.export_speed(settings.item), found)
    return {"threads": 1, "device": "cpu", "optional_versions": {"onnxruntime": onnxruntime.__version__}}


def timed(settings: TimingOfExport, file: str) -> dict[str, float]:
    """Median and 95th percentile of the time of one image, in milliseconds, and images a second by the median."""
    student = Student(paths.export(settings.item) / file)
    side = student.description.input_size
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    seconds = []
    for _ in range(settings.warmup + settings.repeats):
        start = time.perf_counter()
        for _ in range(RUNS_PER_REPEAT):
            student.probabilities(image)
        seconds.append((time.perf_counter() - start) / RUNS_PER_REPEAT)
    median, p95 = np.percentile(np.array(seconds[settings.warmup :]) * 1000, [50, 95])
    return {
        "median_ms_per_batch": round(float(median), 4),
        "p95_ms_per_batch": round(float(p95), 4),
        "images_per_second": round(1000 / float(median), 1),
    }
