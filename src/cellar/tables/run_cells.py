"""Cells from runs: a mean over seeds, a difference between two lines, each with its interval and what it rests on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cellar import files
from cellar.config import Experiment, Params
from cellar.errors import CellarError
from cellar.metrics import intervals, scalars
from cellar.tables import comparable, verdicts
from cellar.tables.cells import NOT_RUN, Cell
from cellar.tables.runs import Runs, baseline_of

DIGITS = 4  # of every stored value
LAST_ACCURACY = "last_epoch.accuracy"  # of the test images too
SEVERAL = 3  # runs, from which on intervals rest on their spread


def accuracy_cell(
    runs: Runs | None, params: Params, printed: float | None = None, variants: Sequence[float] = ()
) -> Cell:
    """Mean accuracy over seeds with its 95 % interval: Student's t from 3 runs, else Wilson's on the test images."""
    if runs is None:
        return absent(printed, variants)
    scores = runs.read()
    values, images = [score["accuracy"] for score in scores], [score["n"] for score in scores]
    remark = runs.of_several_processors(scores)
    return judged_cell(runs, params, values, images, printed=printed, variants=variants, remark=remark)


def judged_cell(
    runs: Runs, params: Params, values: Sequence[float], images: Sequence[int] = (), *, unit: str | None = "%",
    printed: float | None = None, variants: Sequence[float] = (), obstacle: str | None = None, remark: str | None = None,
) -> Cell:  # fmt: skip
    """Mean of one value a run, judged against the printed one by its 95 % interval.

    The interval is Student's t from 3 runs; else Wilson's, where the value is a rate in percent of so many `images`
    in each run; else there is none. `obstacle`: why the two cannot be compared, beside what their trainings differ in.
    `remark`: what is said beside the verdict.
    """
    obstacles = [] if printed is None else [*comparable.obstacles(params, runs), *([obstacle] if obstacle else [])]
    mean = round(float(np.mean(values)), DIGITS)
    interval, n, method = interval_of(values, images)
    verdict, reason = verdicts.of_accuracy(interval, printed, variants, obstacles, params.precision)
    reason = "; ".join(filter(None, (reason, remark))) or None
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
