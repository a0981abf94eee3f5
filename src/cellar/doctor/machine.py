"""What this machine has, beside what the chosen scale asks for: GPU, cores, memory, disk."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from cellar import paths
from cellar.config import Config
from cellar.config.strict_yaml import read_yaml
from cellar.doctor.finding import Finding, gigabytes
from cellar.doctor.needs import Needs

DRIVER = Path("/proc/driver/nvidia/gpus")  # one folder a GPU, as NVIDIA's driver has it
CPU_INFO = Path("/proc/cpuinfo")
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
PROFILE = Path("profiles/default/config.yaml")  # Snakemake's: how many threads torch jobs take together
PATIENCE = 0.8  # seconds for nvidia-smi, which can take longer than the whole report may


def examine(config: Config, needs: Needs) -> Iterator[Finding]:
    names = gpus()
    yield gpu(config, names)
    yield from precision(config, names)
    yield cores(config)
    yield memory(config, needs)
    yield disk(needs)


def gpus() -> list[str] | None:
    """Names of the NVIDIA GPUs, without asking torch; None when the driver does not answer."""
    found = [model_of(folder / "information") for folder in sorted(DRIVER.glob("*"))]
    if found or not shutil.which("nvidia-smi"):
        return found
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def model_of(information: Path) -> str:
    try:
        lines = information.read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Model")), "NVIDIA GPU")


def gpu(config: Config, names: list[str] | None) -> Finding:
    if names is None:
        return Finding("warn", "gpu", "unknown: nvidia-smi did not answer in time", "nvidia-smi")
    if names:
        return Finding("ok", "gpu", f"{len(names)}: {', '.join(dict.fromkeys(names))}")
    if config.scale.synthetic:
        return Finding("ok", "gpu", "none; this scale needs none")
    return Finding(
        "warn",
        "gpu",
        f"none: scale {config.scale.name} trains on the CPU; what short recipes cost there is in {paths.RUNS}",
    )


def precision(config: Config, names: list[str] | None) -> Iterator[Finding]:
    """bf16 on a processor without it is right and slow."""
    if config.precision != "bf16" or names:
        return
    flags = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    if "bf16" not in flags:
        yield Finding(
            "warn", "precision", "bf16, which this processor only imitates", "write precision: fp32 in params.yaml"
        )


def cores(config: Config) -> Finding:
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if config.threads > found:
        return Finding(
            "warn",
            "cores",
            f"{found}, but threads is {config.threads}: slower, same bits",
            f"write threads: {found} in params.yaml",
        )
    return Finding("ok", "cores", f"{found}; each torch stage takes {config.threads}")


def at_once(config: Config) -> int:
    """How many torch stages Snakemake runs side by side; 1 where its profile does not say, as without a profile."""
    profile = read_yaml(PROFILE) if PROFILE.exists() else {}
    threads = (profile.get("resources") or {}).get("torch")
    return max(1, threads // config.threads) if isinstance(threads, int) else 1


def memory(config: Config, needs: Needs) -> Finding:
    system = psutil.virtual_memory()
    total = min([system.total, *limits()])
    have = f"{gigabytes(total)}, {gigabytes(min(system.available, total))} free"
    if needs.memory is None:
        return Finding("ok", "memory", f"{have}; no stage of this scale has been measured yet")
    asked = f"{gigabytes(needs.memory)} were the most that a stage of it took ({needs.memory_stage})"
    if total < needs.memory:
        return Finding("bad", "memory", f"{have}; {asked}", "lower batch_size in params.yaml, or take a larger machine")
    if system.available < needs.memory:
        return Finding("warn", "memory", f"{have}; {asked}", "end other programs first")
    if system.available < needs.memory * at_once(config):
        alone = f"snakemake --cores 4 --resources torch={config.threads}"
        return Finding("warn", "memory", f"{have}; {asked}, and {at_once(config)} run side by side", alone)
    return Finding("ok", "memory", f"{have}; {asked}")


def limits() -> Iterator[int]:
    """What a container may take, where it is limited."""
    for path in MEMORY_LIMITS:
        try:
            yield int(path.read_text())
        except (OSError, ValueError):
            continue


def disk(needs: Needs) -> Finding:
    """The project's disk; the cache is counted on it too unless it lies on another."""
    free = shutil.disk_usage(".").free
    asked = f"about {gigabytes(needs.disk)} more is needed (an estimate{needs.left_out})"
    if free < needs.disk:
        return Finding("bad", "disk", f"{gigabytes(free)} free; {asked}", "free space, or run on a larger disk")
    return Finding("ok", "disk", f"{gigabytes(free)} free; {asked}")
