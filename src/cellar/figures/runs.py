"""The files that figures read: prepared images, and what the runs of a data set wrote."""

from pathlib import Path

from cellar import paths
from cellar.config import Params
from cellar.tables.runs import Runs, experiment_lines, runs_of, teacher_runs_of


def images(dataset: str) -> list[Path]:
    return [paths.prepared(dataset) / name for name in ("arrays.npz", "manifest.json")]


def curves_of(params: Params, dataset: str) -> list[Runs]:
    """The runs of a data set that have training curves: teachers, then experiments. An imported teacher has none."""
    trained = [runs for runs in teachers(params, dataset) if not params.teachers[runs.key].weights]
    students = [runs_of(params, key, line) for key, line in experiment_lines(params, dataset).items()]
    return trained + students


def teachers(params: Params, dataset: str) -> list[Runs]:
    """The teachers of a data set, imported ones among them."""
    return [
        teacher_runs_of(params, key, line)
        for key, line in params.teachers.items()
        if line.dataset == dataset and params.is_on(line)
    ]


def history(runs: Runs) -> Path:
    """Of the first seed."""
    return paths.trained(runs.kind, runs.key, runs.seeds[0]) / "history.csv"


def loss_files(runs: Runs) -> list[Path]:
    """One file for each seed: `loss` (steps,) float32."""
    return [paths.trained(runs.kind, runs.key, seed) / "losses.npz" for seed in runs.seeds]


def step_loss_files(runs: Runs) -> list[str]:
    """What a figure of the losses of every step reads."""
    return [str(path) for path in [*loss_files(runs), history(runs)]]
