"""Every place in the project, named once. All are relative to the project's root."""

from pathlib import Path

REFERENCE = Path("workflow/reference/paper_values.yaml")
TABLES = Path("results/tables")
FIGURES = Path("results/figures")
REPORT = Path("results/report.html")
CRATE = Path("results/crate")
METRICS = Path("results/metrics")
CODE = Path("results/code")
MODEL_COUNTS = METRICS / "models.json"
RUNS = Path("runs")
LOCKS = (Path("dvc.lock"), Path("sweeps/dvc.lock"))


def prepared(dataset: str) -> Path:
    """Holds arrays.npz, manifest.json, run.json."""
    return Path("data/prepared") / dataset


def record_beside(folder: Path) -> Path:
    """The run.json of a folder that holds nothing but what its layout has."""
    return folder.with_name(f"{folder.name}.run.json")


def faces(name: str) -> Path:
    """Holds index.json and shards of images; its run.json stands beside it."""
    return Path("data/faces") / name


def features(faces: str, teacher: str) -> Path:
    """Holds features.npy (of the faces), held_out.npz (of the data set), run.json."""
    return Path("results/features") / f"{faces}-{teacher}"


def part_activations(teacher: str) -> Path:
    """Arrays untrained (60, D), trained (60, D), part (60,), images (20, H, W, 3): small-dataset study, section 3."""
    return Path("results/features/parts") / teacher / "activations.npz"


def trained(kind: str, key: str, seed: int) -> Path:
    """`kind` is teachers, students or generators. Holds weights.safetensors, last.safetensors, history.csv,
    losses.npz, run.json."""
    return Path("results") / kind / key / f"seed-{seed}"


def audit(dataset: str) -> Path:
    """Holds pairs.csv, run.json."""
    return Path("results/audit") / dataset


def audit_pairs(dataset: str) -> Path:
    return audit(dataset) / "pairs.csv"


def audit_metrics(dataset: str) -> Path:
    return Path("results/metrics/audit") / f"{dataset}.json"


def costs_record(dataset: str, model: str) -> Path:
    return Path("results/costs") / f"{dataset}-{model}" / "run.json"


def predictions(kind: str, key: str, seed: int) -> Path:
    """Holds predictions.npz, run.json."""
    return Path("results/predictions") / kind / key / f"seed-{seed}"


def metrics(kind: str, key: str, seed: int) -> Path:
    return Path("results/metrics") / kind / key / f"seed-{seed}.json"


def costs(dataset: str, model: str) -> Path:
    return Path("results/metrics/costs") / f"{dataset}-{model}.json"
