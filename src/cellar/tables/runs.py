"""The runs of a line of params.yaml: which of them a row of a table shows, and the files that they wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.config import Experiment, Params, Teacher
from cellar.methods import registry
from cellar.metrics import scalars

SEVERAL_PROCESSORS = "trained on several types of processor, so that no machine makes the same bits again"


@dataclass(frozen=True)
class Runs:
    """One teacher or experiment of params.yaml, over its seeds."""

    kind: str  # teachers or students
    key: str
    seeds: tuple[int, ...]
    dataset: str
    model: str
    study: str = ""  # of a student
    sweep: bool = False  # whether it is a point of a sweep

    @property
    def place(self) -> str:
        """Where its results lie below `kind`: a study's experiments have a folder of their own."""
        return f"{self.study}/{self.key}" if self.study else self.key

    def first(self) -> "Runs":
        """That of the first seed alone, which students learn from."""
        return replace(self, seeds=self.seeds[:1])

    def metrics_files(self) -> list[str]:
        return [str(paths.metrics(self.kind, self.place, seed)) for seed in self.seeds]

    def prediction_files(self) -> list[str]:
        return [str(paths.predictions(self.kind, self.place, seed) / "predictions.npz") for seed in self.seeds]

    def stages(self) -> list[str]:
        """The stages that made its metrics, as `dvc repro` calls them."""
        kind = f"evaluate_{self.kind.removesuffix('s')}"
        jobs = [f"{self.key}/seed-{seed}" for seed in self.seeds]
        return [paths.stage_address(kind, job, self.study, self.sweep, results=True) for job in jobs]

    def details_files(self) -> list[str]:
        return [str(paths.details(self.kind, self.place, seed)) for seed in self.seeds]

    def of_several_processors(self, scores: Sequence[Mapping[str, Any]]) -> str | None:
        """What a cell says of trainings that began on one type of processor and went on on another; `scores`: of each run."""
        mixed = [seed for seed, score in zip(self.seeds, scores, strict=True) if score.get("processors", 1) > 1]
        return f"{SEVERAL_PROCESSORS} (seed {', '.join(map(str, mixed))})" if mixed else None

    def read(self) -> list[dict[str, Any]]:
        """The scalars of each run's metrics file."""
        return [files.read_json(Path(path)) for path in self.metrics_files()]

    def read_details(self) -> list[dict[str, Any]]:
        """All scores of each run: those of the metrics file and those of details.json."""
        details = [files.read_json(Path(path)) for path in self.details_files()]
        return [scalars.merge(metrics, other) for metrics, other in zip(self.read(), details, strict=True)]


def teacher_runs(params: Params, dataset: str) -> Runs | None:
    """The teacher of a data set (the first that params.yaml lists), or None if it is off or absent."""
    for key, line in params.teachers.items():
        if line.dataset == dataset and params.is_on(line):
            return teacher_runs_of(params, key, line)
    return None


def teacher_runs_of(params: Params, key: str, line: Teacher) -> Runs:
    return Runs("teachers", key, tuple(params.seeds_of(line)), line.dataset, line.model)


def student_runs(params: Params, dataset: str, row: str) -> Runs | None:
    for key, line in params.experiments.items():
        if (line.dataset, line.row) == (dataset, row) and params.is_on(line):
            return runs_of(params, key, line)
    return None


def row_runs(params: Params, dataset: str, row: str | None) -> Runs | None:
    """The runs of a row of experiments, or the data set's teacher where `row` is None."""
    return teacher_runs(params, dataset) if row is None else student_runs(params, dataset, row)


def runs_of(params: Params, key: str, line: Experiment, sweep: bool = False) -> Runs:
    return Runs("students", key, tuple(params.seeds_of(line)), line.dataset, line.model, params.study, sweep)


def experiment_lines(params: Params, dataset: str) -> dict[str, Experiment]:
    """The data set's lines that run, in the order of params.yaml."""
    return {k: line for k, line in params.experiments.items() if line.dataset == dataset and params.is_on(line)}


def classifies(params: Params, line: Experiment) -> bool:
    """Whether an experiment's method predicts a class for each test image."""
    return registry.prediction_kind(registry.file_of(line.method_name, params.study)) == "classes"


def experiment_keys(key: str, *fields: str) -> list[str]:
    """The keys of params.yaml of some fields of an experiment."""
    return [f"experiments.{key}.{name}" for name in fields]


def is_on(params: Params, dataset: str) -> bool:
    return dataset in params.datasets and params.datasets[dataset].enabled


def manifest(dataset: str) -> Path:
    """What was prepared of a data set: classes, and images of each split."""
    return paths.prepared(dataset) / "manifest.json"


def baseline_of(params: Params, line: Experiment) -> Runs | None:
    """The same student without a teacher on the same data; None for a line that has no teacher itself."""
    if line.teacher is None:
        return None
    for key, other in experiment_lines(params, line.dataset).items():
        same_seeds = params.seeds_of(other) == params.seeds_of(line)
        if other.teacher is None and same_seeds and (other.model, other.recipe) == (line.model, line.recipe):
            return runs_of(params, key, other)
    return None
