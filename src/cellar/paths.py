"""Every place in the project, named once. All are relative to the project's root."""

from pathlib import Path

REFERENCE = Path("workflow/reference/paper_values.yaml")
TABLES = Path("results/tables")
FIGURES = Path("results/figures")
MODEL_COUNTS = Path("results/metrics/models.json")
REAL_RUNS = Path("docs/real_runs")
LOCKS = (Path("dvc.lock"), Path("sweeps/dvc.lock"))


def prepared(dataset: str) -> Path:
    """Holds arrays.npz, manifest.json, run.json."""
    return Path("data/prepared") / dataset


def trained(kind: str, key: str, seed: int) -> Path:
    """`kind` is teachers or students. Holds weights.safetensors, last.safetensors, history.csv, run.json."""
    return Path("results") / kind / key / f"seed-{seed}"


def predictions(kind: str, key: str, seed: int) -> Path:
    """Holds predictions.npz, run.json."""
    return Path("results/predictions") / kind / key / f"seed-{seed}"


def metrics(kind: str, key: str, seed: int) -> Path:
    return Path("results/metrics") / kind / key / f"seed-{seed}.json"


def costs(dataset: str, model: str) -> Path:
    return Path("results/metrics/costs") / f"{dataset}-{model}.json"
