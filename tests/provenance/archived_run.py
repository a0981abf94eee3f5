"""A small run to be archived: a student with a teacher and without, three seeds each, one table, one figure."""

from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from cellar import files, paths
from cellar.pipeline import content
from cellar.provenance import lineage
from cellar.report import archive
from cellar.tables import render
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import interval_of, rounded, spreads

from .cell_project import lock, settings

NAME, TABLE, STUDY = "mine", "own_table", "own"
SCORES = {"student": [61.25, 60.5, 62.0], "alone": [58.0, 58.5, 57.25]}
COMMIT = "a" * 40
PARAMS = {
    "scale": {"name": NAME, "note": "a few images"},
    "threads": 2,
    "studies": {STUDY: {"recipes": {"short": {"epochs": 3}}}},
}
LOCK, STUDY_LOCK = Path("dvc.lock"), Path(f"studies/{STUDY}/dvc.lock")
IN_STUDY = f"studies/{STUDY}/dvc.yaml:"  # begins the names of the table's and the figure's stages


def metrics_path(name: str, seed: int) -> str:
    return str(paths.metrics("students", f"{STUDY}/{name}", seed))


def predictions_path(name: str, seed: int) -> str:
    return str(paths.predictions("students", f"{STUDY}/{name}", seed) / "predictions.npz")


def metrics_paths(name: str) -> list[str]:
    return [metrics_path(name, seed) for seed in range(3)]


def history_path(seed: int) -> str:
    return str(paths.trained("students", f"{STUDY}/student", seed) / "history.csv")


def metrics(accuracy: float, large: bool) -> dict[str, Any]:
    per_class = {f"class {i}": {"precision": 0.1, "recall": 0.2, "f1": 0.3, "support": 10} for i in range(100)}
    scalars = {"n": 1000, "accuracy": accuracy, "loss": 1.5, "macro": {"f1": accuracy - 1}}
    return scalars | ({"per_class": per_class} if large else {})


def mean_cell(name: str) -> Cell:
    values = SCORES[name]
    mean = round(sum(values) / 3, 4)
    interval, n, method = interval_of(values, [1000] * 3)
    return Cell(
        "measured", mean, "%", 70.2, verdict="not comparable", reason="3 epochs, printed 80", mean=mean, std=spreads(values)[0],
        std_population=spreads(values)[1], n=n, interval=rounded(interval), method=method, metrics=metrics_paths(name),
    )  # fmt: skip


def table() -> Table:
    difference = sum(SCORES["student"]) / 3 - sum(SCORES["alone"]) / 3
    gain = Cell(
        "derived",
        round(difference, 4),
        "points",
        metrics=[predictions_path(name, seed) for name in SCORES for seed in range(3)],
    )
    reported = Cell("reported", 12.5, "%")
    columns = [Column("accuracy", "accuracy (%)", "%"), Column("gain", "gain", "points")]
    rows = [
        Row("student", "Student", {"accuracy": mean_cell("student"), "gain": gain}),
        Row("alone", "Alone", {"accuracy": mean_cell("alone"), "gain": reported}),
    ]
    return Table(TABLE, "A table", "custom", {"name": NAME, "synthetic": False, "note": "few"}, [], columns, rows)


def gain_paths() -> list[str]:
    return [*metrics_paths("student"), *metrics_paths("alone")]


def record(stage: str) -> dict[str, Any]:
    return {
        "stage": stage, "study": STUDY, "command": "train", "settings": {"threads": 2}, "inputs": {}, "outputs": {}, "code": "c0de",
        "commit": COMMIT, "dirty": False, "versions": {"torch": "2.13.0"}, "python": "3.11.7",
        "machine": {"host": "vm", "system": "Linux", "cores": 2, "memory_gb": 25.3}, "device": "cpu",
        "device_name": "a processor", "threads": 2, "seed": 0, "started": "2030-01-01T00:00:00+00:00",
        "finished": "2030-01-01T00:01:00+00:00", "seconds": 60.0, "peak_memory_gb": 1.5,
    }  # fmt: skip


def write_project() -> None:
    """The run's files and its dvc.lock, into the current directory."""
    for name, values in SCORES.items():
        for seed, accuracy in enumerate(values):
            files.write_json(Path(metrics_path(name, seed)), metrics(accuracy, large=name == "student"))
            files.write_text(Path(predictions_path(name, seed)), f"predictions {name} {seed}")
    for seed in range(3):
        files.write_text(Path(history_path(seed)), f"epoch,loss\n1,{2 - seed / 10}\n")
        files.write_text(Path(weights(seed)), f"weights {seed}")
    render.write(table(), paths.TABLES)
    paths.FIGURES.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((60, 40), 80).convert("RGB").save(paths.FIGURES / "curves.png")
    files.write_text(Path("params.yaml"), yaml.safe_dump(PARAMS))
    lock(LOCK, runs())
    lock(STUDY_LOCK, shown())


def weights(seed: int) -> str:
    return str(paths.trained("students", f"{STUDY}/student", seed) / "weights.safetensors")


def runs() -> dict[str, Any]:
    """Trainings and evaluations, in the root's lock."""
    stages: dict[str, Any] = {}
    for seed in range(3):
        name = f"train-{seed}"
        stages[name] = {
            "cmd": f"train {seed}",
            "params": settings(name, {"threads": 2, "recipe": {"epochs": 3}}, study=""),
            "outs": entries([weights(seed), history_path(seed)]),
        }
        scored = [path(name, seed) for name in SCORES for path in (metrics_path, predictions_path)]
        stages[f"evaluate-{seed}"] = {
            "cmd": f"evaluate {seed}",
            "deps": entries([weights(seed)]),
            "outs": entries(scored),
        }
    return stages


def shown() -> dict[str, Any]:
    """The table and the figure, in the study's lock."""
    tables = [str(paths.TABLES / f"{TABLE}.{suffix}") for suffix in ("json", "md")]
    histories = [history_path(seed) for seed in range(3)]
    figure = [str(paths.FIGURES / "curves.png")]
    return {
        f"tabulate-{TABLE}": {"cmd": "tabulate", "deps": entries(gain_paths()), "outs": entries(tables)},
        "plot-curves": {"cmd": "plot", "deps": entries(histories), "outs": entries(figure)},
    }


def entries(found: list[str]) -> list[dict[str, str]]:
    return [{"path": path, "hash": "md5", "md5": content.md5(Path(path))} for path in found]


def write_archive(commit: str | None = None) -> Path:
    """Archive the project of write_project in runs/mine; the stage evaluate-2 has no record."""
    pages = [str(paths.TABLES / f"{TABLE}.md"), str(paths.FIGURES / "curves.png")]
    behind = list(reversed(lineage.load().chain(pages)))
    recorded = [stage.target for stage in behind if stage.target.startswith(("train", "evaluate"))]
    records = {target: record(target) for target in recorded if target != "evaluate-2"}
    source = archive.Source(Path(), NAME, "a few images", commit, [TABLE], ["curves"], behind, records)
    return archive.write(source, paths.RUNS / NAME)
