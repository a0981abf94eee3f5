"""Which figures there are, and what each reads. They are drawn in `drawing`, which planning need not import.

Figures 1 and 2 of Mini-ResEmoteNet are diagrams; 3 and 4 hold data, and the training curves are ours.
"""

from pathlib import Path

from cellar import paths
from cellar.params import Params
from cellar.tables.runs import Runs, experiment_lines, runs_of, student_runs, teacher_runs

CONFUSIONS = ("E1", "E4", "E6")  # the students of the paper's figure 4
FACIAL = ("fer2013", "raf_db")


def known(params: Params) -> list[str]:
    """Figures that have something to show: a data set that is on, a student that is listed."""
    found = ["fig_3"] if sampled(params) else []
    found += ["fig_4"] if confused(params) else []
    taught = [name for name, section in params.datasets.items() if section.enabled and lines(params, name)]
    return [*found, *(f"curves_{name}" for name in taught)]


def inputs(figure: str, params: Params) -> list[str]:
    """The files that a figure reads, one by one."""
    if figure == "fig_3":
        return [
            str(paths.prepared(name) / file) for name in sampled(params) for file in ("arrays.npz", "manifest.json")
        ]
    if figure == "fig_4":
        return [runs.metrics_files()[0] for runs in confused(params)]
    return [str(history(runs)) for runs in lines(params, figure.removeprefix("curves_")).values()]


def param_keys(figure: str, params: Params) -> list[str]:
    return ["scale"]


def sampled(params: Params) -> list[str]:
    return [name for name in FACIAL if name in params.datasets and params.datasets[name].enabled]


def confused(params: Params) -> list[Runs]:
    found = [student_runs(params, "fer2013", row) for row in CONFUSIONS]
    return [runs for runs in found if runs]


def lines(params: Params, dataset: str) -> dict[str, Runs]:
    """Label -> run, for every curve of a data set: the teacher, then its experiments."""
    teacher = teacher_runs(params, dataset)
    imported = teacher and params.teachers[teacher.key].weights
    found = {f"teacher {teacher.model}": teacher} if teacher and not imported else {}
    return found | {line.row: runs_of(params, key, line) for key, line in experiment_lines(params, dataset).items()}


def history(runs: Runs) -> Path:
    return paths.trained(runs.kind, runs.key, runs.seeds[0]) / "history.csv"
