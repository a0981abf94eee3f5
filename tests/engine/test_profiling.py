"""Counts to the unit; measured numbers are there, positive and explained. No threshold on times."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from cellar import config
from cellar.engine import profiling
from cellar.pipeline.stages import count_models
from tests.conftest import ROOT

CPU = torch.device("cpu")


MEASURE_PEAK = """
import torch
from cellar.engine import profiling

class Allocating(torch.nn.Module):
    def forward(self, x):
        return torch.ones(len(x), 64 * profiling.MB // 4)  # 64 MB for each image

torch.ones(1024 * profiling.MB // 4)  # an earlier peak of 1024 MB, freed at once
shape, device = (3, 8, 8), torch.device("cpu")
print(profiling.start_memory_peak(device)[1] == profiling.CPU_MEMORY)
print(profiling.measure(Allocating, shape, (4, 1), 1, 2, device)["peak_memory_mb"])
"""


def measured(model: nn.Module | None = None, sizes: tuple[int, ...] = (1, 4)) -> dict:
    return profiling.measure(lambda: model or nn.Conv2d(3, 2, 3), (3, 8, 8), sizes, warmup=1, repeats=5, device=CPU)


def test_parameters_are_counted_without_buffers() -> None:
    model = nn.Sequential(nn.Linear(1000, 1000, bias=False), nn.BatchNorm1d(1000))
    expected = 1000 * 1000 + 2 * 1000
    assert profiling.count(model) == {
        "parameters": expected,
        "buffers": 2_001,
        "mb_decimal": round(expected * 4 / 1e6, 2),
        "mb_binary": round(expected * 4 / 2**20, 2),
    }


def test_all_counted_models_are_the_papers() -> None:
    settings = [job.settings for job in count_models.jobs(config.load(ROOT / "params.yaml"))]
    networks = [(name, n, one.files.get(name)) for one in settings for name, n in one.classes.items()]
    counted = profiling.count_all(networks)
    assert {name: entry["parameters"] for name, entry in counted.items()} == {
        "resemotenet": 80_238_599,
        "resemotenet_a": 20_069_383,
        "resemotenet_b": 5_022_215,
        "resemotenet_c": 1_259_911,
        "resnet32x4": 7_433_860,
        "resnet8x4": 1_233_540,
        "cnn4": 799_652,
        "convnet9": 17_625_833,
        "resnet50_vggface2": 23_723_177,
        "resnet18": 11_230_377,
        "inception_v3": 24_639_154,
        "mobilenet_v1": 3_314_601,
        "torchvision:resnet34(7)": 21_288_263,
        "torchvision:vgg19_bn(7)": 139_609_927,
        "torchvision:vit_l_16(1000)": 304_326_632,
    }
    teacher = counted["resemotenet"]
    assert (teacher["mb_decimal"], teacher["mb_binary"]) == (320.95, 306.09)  # Table I and Table V
    assert [counted[f"resemotenet{s}"]["buffers"] for s in ("", "_a", "_b", "_c")] == [
        22412,
        11212,
        5612,
        2812,
    ]


def test_a_measurement_says_what_was_measured_and_how() -> None:
    found = measured()
    assert found["parameters"] == 3 * 2 * 9 + 2
    assert found["input_shape"] == [3, 8, 8]
    assert found["device"] == "cpu" and found["device_name"]
    assert found["threads"] == torch.get_num_threads()
    assert (found["precision"], found["warmup"], found["repeats"]) == ("fp32", 1, 5)
    assert "1 warm-up batches, then 5 batches" in found["protocol"]
    assert "resident memory" in found["protocol"]


def test_latency_is_positive_and_per_image_is_a_share_of_the_batch() -> None:
    found = measured()["latency"]
    assert list(found) == ["1", "4"]
    for size, entry in found.items():
        assert 0 < entry["median_ms_per_batch"] <= entry["p95_ms_per_batch"]
        share = entry["median_ms_per_batch"] / int(size)
        assert math.isclose(entry["median_ms_per_image"], share, abs_tol=1e-4)


def test_warm_up_batches_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 50, 100, 101, 200, 203, 300, 305])  # seconds: one warm-up of 50, then 1, 3 and 5
    monkeypatch.setattr(profiling.time, "perf_counter", lambda: float(next(ticks)))
    found = profiling.timed(nn.Identity(), (3, 8, 8), 2, 1, 3, CPU)
    assert found == {
        "median_ms_per_batch": 3000.0,
        "p95_ms_per_batch": 4800.0,
        "median_ms_per_image": 1500.0,
    }


def test_the_model_is_measured_as_it_is_used() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Dropout(0.5))
    seen = []

    def note(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        last = inputs[0].is_contiguous(memory_format=torch.channels_last)
        seen.append((module.training, torch.is_inference_mode_enabled(), last))

    model[0].register_forward_pre_hook(note)
    measured(model)
    assert len(seen) == 2 * 6 and set(seen) == {(False, True, True)}


def test_peak_memory_is_that_of_the_largest_batch_alone() -> None:
    """4 images of 64 MB at once; in a process of its own, where no other test left memory to use again."""
    done = subprocess.run([sys.executable, "-c", MEASURE_PEAK], capture_output=True, text=True, check=True)
    forgets, peak = done.stdout.split()
    if forgets != "True":
        pytest.skip("this kernel cannot reset a process's peak of memory (/proc/self/clear_refs)")
    assert 250 < float(peak) < 400


def test_a_kernel_that_does_not_forget_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_text", refused)
    found = measured()
    assert found["peak_memory_mb"] >= 0
    assert "or to an earlier peak" in found["protocol"]
