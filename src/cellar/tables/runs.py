"""From experiments in params.yaml to cells: which runs a row shows, which files they wrote, what those contain."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cellar import files, paths
from cellar.config import Experiment, Params, Teacher
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.metrics import intervals, scalars
from cellar.tables import verdicts
from cellar.tables.cells import NOT_RUN, Cell

DIGITS = 4  # of every stored value
LAST_ACCURACY = "last_epoch.accuracy"  # of the test images too
SEVERAL = 3  # runs, from which on intervals rest on their spread


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

    def metrics_files(self) -> list[str]:
        return [str(paths.metrics(self.kind, self.place, seed)) for seed in self.seeds]

    def prediction_files(self) -> list[str]:
        return [str(paths.predictions(self.kind, self.place, seed) / "predictions.npz") for seed in self.seeds]

    def stages(self) -> list[str]:
        """The stages that made its metrics, as `dvc repro` calls them."""
        kind = f"evaluate_{self.kind.removesuffix('s')}"
        return [paths.stage_address(kind, f"{self.key}/seed-{seed}", self.study, self.sweep) for seed in self.seeds]

    def details_files(self) -> list[str]:
        return [str(paths.details(self.kind, self.place, seed)) for seed in self.seeds]

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


def accuracy_cell(
    runs: Runs | None, params: Params, printed: float | None = None, variants: Sequence[float] = ()
) -> Cell:
    """Mean accuracy over seeds with its 95 % interval: Student's t from 3 runs, else Wilson's on the test images."""
    if runs is None:
        return absent(printed, variants)
    scores = runs.read()
    values, images = [score["accuracy"] for score in scores], [score["n"] for score in scores]
    return judged_cell(runs, params, values, images, printed=printed, variants=variants)


def judged_cell(
    runs: Runs, params: Params, values: Sequence[float], images: Sequence[int] = (), *, unit: str | None = "%",
    printed: float | None = None, variants: Sequence[float] = (), obstacle: str | None = None,
) -> Cell:  # fmt: skip
    """Mean of one value a run, judged against the printed one by its 95 % interval.

    The interval is Student's t from 3 runs; else Wilson's, where the value is a rate in percent of so many `images`
    in each run; else there is none. `obstacle`: why the two cannot be compared at any scale.
    """
    mean = round(float(np.mean(values)), DIGITS)
    interval, n, method = interval_of(values, images)
    verdict, reason = verdicts.of_accuracy(interval, printed, variants, params.scale, obstacle)
    return Cell(
        "measured", mean, unit, printed, list(variants) or None, verdict, reason, mean, *spreads(values), n,
        rounded(interval), method, runs.stages(), runs.metrics_files(),
    )  # fmt: skip


Estimate = tuple[intervals.Interval | None, int | None, str | None]


def interval_of(values: Sequence[float], images: Sequence[int]) -> Estimate:
    """Interval of the mean, what it rests on, and its method. One or two runs: Wilson's on the images of one of them,
    for the second names the same images again."""
    if len(values) >= SEVERAL:
        return intervals.student(values), len(values), f"Student's t over {len(values)} runs"
    if not images:
        return None, None, None
    n = min(images)
    return intervals.wilson(round(float(np.mean(values)) * n / 100), n), n, f"Wilson's on n = {n}"


def spreads(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Standard deviations over runs: of a sample (ddof 1), of a population (ddof 0)."""
    sample, population = (intervals.spread(values, ddof) for ddof in (1, 0))
    return (
        None if sample is None else round(sample, DIGITS),
        None if population is None else round(population, DIGITS),
    )


def rounded(interval: intervals.Interval | None) -> list[float] | None:
    return [round(bound, DIGITS) for bound in interval] if interval else None


def mean_cell(
    runs: Runs | None, value: str, unit: str, printed: float | None = None, reason: str | None = None
) -> Cell:
    """A metric's mean over seeds with its interval, if there is one; `value` is a dotted key of the metrics file, or of
    details.json for what the metrics file does not have. Never judged, for the stated reason."""
    if runs is None:
        return absent(printed)
    in_details = value not in scalars.SCALARS["classes"]
    scores = runs.read_details() if in_details else runs.read()
    values = [pick(score, value) for score in scores]
    images = [score["n"] for score in scores] if value == LAST_ACCURACY else []
    interval, n, method = interval_of(values, images)
    mean = round(float(np.mean(values)), DIGITS)
    verdict: verdicts.Verdict | None = "not comparable" if printed is not None else None
    return Cell(
        "measured", mean, unit, printed, None, verdict, reason, mean, *spreads(values), n, rounded(interval), method,
        runs.stages(), runs.details_files() if in_details else runs.metrics_files(),
    )  # fmt: skip


def gain_cell(params: Params, line: Experiment, runs: Runs) -> Cell:
    """The gain from KD: accuracy minus that of the same student alone, paired, in points."""
    baseline = baseline_of(params, line)
    if baseline is None:
        return NOT_RUN if line.teacher else Cell("derived", reason="no teacher")
    return difference_cell(runs, baseline, "the teacher")


def difference_cell(runs: Runs, baseline: Runs, subject: str) -> Cell:
    """Accuracy minus the baseline's in points, paired over seeds from 3 on, else over test images.

    `subject` is what the two differ by; the reason says whether it helps.
    """
    mean, interval, n, method = paired(runs, baseline)
    helps = (
        "helps" if interval[0] > 0 else "hurts" if interval[1] < 0 else "makes no difference that these runs can tell"
    )
    return Cell(
        "derived", round(mean, DIGITS), "points", reason=f"{subject} {helps}", n=n, interval=rounded(interval),
        method=method, stage=runs.stages() + baseline.stages(), metrics=difference_files(runs, baseline),
    )  # fmt: skip


def paired(runs: Runs, baseline: Runs) -> tuple[float, intervals.Interval, int, str]:
    """Difference of accuracies in points, its interval, what that rests on, and its method."""
    if len(runs.seeds) >= SEVERAL:
        values, others = ([score["accuracy"] for score in each.read()] for each in (runs, baseline))
        return *intervals.paired_seeds(values, others), len(values), f"paired t over {len(values)} seeds"
    check_same_images(runs, baseline)
    hits, others_hits = hits_of(runs), hits_of(baseline)
    n = hits.shape[1]
    return *intervals.paired_images(hits, others_hits), n, f"paired on {n} images (Agresti and Min)"


def gain_files(params: Params, line: Experiment, runs: Runs) -> list[str]:
    """What gain_cell reads."""
    baseline = baseline_of(params, line)
    return difference_files(runs, baseline) if baseline else []


def difference_files(runs: Runs, baseline: Runs) -> list[str]:
    """What difference_cell reads."""
    if len(runs.seeds) >= SEVERAL:
        return runs.metrics_files() + baseline.metrics_files()
    return runs.prediction_files() + baseline.prediction_files()


def hits_of(runs: Runs) -> np.ndarray:
    """Whether each test image was classified correctly (seeds, N)."""
    predictions = [files.read_arrays(Path(path)) for path in runs.prediction_files()]
    return np.stack([saved["logits"].argmax(axis=1) == saved["labels"] for saved in predictions])


def check_same_images(runs: Runs, baseline: Runs) -> None:
    """A paired comparison needs the same images in the same order."""
    for path, other in zip(runs.prediction_files(), baseline.prediction_files(), strict=True):
        if not np.array_equal(files.read_arrays(Path(path))["index"], files.read_arrays(Path(other))["index"]):
            raise CellarError(f"{path} and {other} hold different test images; build both again from one data set")


def absent(printed: float | None, variants: Sequence[float] = ()) -> Cell:
    return Cell("not_run", paper=printed, paper_variants=list(variants) or None, reason=NOT_RUN.reason)


def pick(score: dict[str, Any], dotted: str) -> float:
    value: Any = score
    for key in dotted.split("."):
        value = value[key]
    return float(value)
