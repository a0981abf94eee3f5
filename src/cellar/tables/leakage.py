"""Table leakage_<dataset>: what copies of test images in the training data gain, by training without them.

For a data set with `drop_leaked` listed in params.yaml beside the same set whole: every experiment that is trained on
both, on all test images, on those that had copies (the audit's leaked ones) and on the others. No paper has this table.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from cellar import files, paths
from cellar.config import Experiment, Params
from cellar.data.audit.pairs import leaked_rows, read_pairs
from cellar.errors import CellarError
from cellar.metrics import intervals
from cellar.studies import AUDIT
from cellar.tables.audit_accuracy import NO_IMAGE
from cellar.tables.cells import Cell, Column, Row, Table
from cellar.tables.run_cells import DIGITS, SEVERAL, judged_cell, rounded
from cellar.tables.runs import Runs, classifies, experiment_lines, runs_of

COLUMNS = [
    Column("images", "test images", "count"),
    Column("whole", "trained with the copies (%)", "%"),
    Column("dropped", "without (%)", "%"),
    Column("gain", "the copies bring (points)", "points"),
]


def datasets(params: Params) -> list[str]:
    """Those without their leaks that have lines to compare."""
    return [name for name in params.datasets if pairs_of(params, name)]


def whole_of(params: Params, dropped: str) -> str | None:
    """The data set that differs from `dropped` by its leaks alone."""
    section = params.datasets[dropped]
    for name, other in params.datasets.items():
        if section.drop_leaked and other.enabled and other == section.model_copy(update={"drop_leaked": False}):
            return name
    return None


def pairs_of(params: Params, dropped: str) -> dict[str, tuple[Runs, Runs]]:
    """Key of the line without copies -> its runs, and those of the same line on the whole data set."""
    whole = whole_of(params, dropped)
    pairs: dict[str, tuple[Runs, Runs]] = {}
    if whole is None or not params.datasets[dropped].enabled:
        return pairs
    for key, line in experiment_lines(params, dropped).items():
        for other_key, other in experiment_lines(params, whole).items():
            if classifies(params, line) and alike(params, line, other):
                pairs.setdefault(key, (runs_of(params, key, line), runs_of(params, other_key, other)))
    return pairs


def alike(params: Params, line: Experiment, other: Experiment) -> bool:
    """Whether two lines differ by their data set alone, and by its own teacher of the same recipe."""
    own = {"dataset", "row", "teacher", "seeds"}
    teachers = [params.teacher_of(each) for each in (line, other)]
    taught = [teacher.model_dump(exclude={"dataset"}) if teacher else None for teacher in teachers]
    same = line.model_dump(exclude=own) == other.model_dump(exclude=own) and taught[0] == taught[1]
    return same and params.seeds_of(line) == params.seeds_of(other)


def inputs(params: Params, dataset: str) -> list[str]:
    both = [runs for pair in pairs_of(params, dataset).values() for runs in pair]
    return [str(pairs_file(params, dataset)), *dict.fromkeys(path for runs in both for path in runs.prediction_files())]


def shown_params(params: Params, dataset: str) -> list[str]:
    """Row names come from params.yaml alone."""
    return ["scale", *(f"experiments.{key}.row" for key in pairs_of(params, dataset))]


def pairs_file(params: Params, dataset: str) -> Path:
    """The pairs that the audit of the whole data set found."""
    return paths.audit_pairs(str(whole_of(params, dataset)))


def build(params: Params, dataset: str) -> Table:
    pairs, rows = pairs_file(params, dataset), []
    leaked = leaked_rows(read_pairs(pairs))
    for key, (dropped, whole) in pairs_of(params, dataset).items():
        pair = Pair(pairs, dropped, whole, leaked)
        line = params.experiments[key]
        for part, (label, chosen) in pair.parts.items():
            rows.append(Row(f"{line.row}-{part}", f"{line.row}: {line.model}, {label}", pair.cells(params, chosen)))
    title = f"What copies of test images bring: {whole_of(params, dataset)} and, without them, {dataset}"
    return Table(f"leakage_{dataset}", title, AUDIT, params.scale.model_dump(), notes(), COLUMNS, rows)


@dataclass(frozen=True)
class Pair:
    """One experiment, trained without and with the copies. `pairs` names the leaked test images, `leaked` has their
    rows in the whole data set."""

    pairs: Path
    dropped: Runs
    whole: Runs
    leaked: np.ndarray

    @cached_property
    def parts(self) -> dict[str, tuple[str, np.ndarray]]:
        """Part of the test images -> its label, and which they are, bool (N,)."""
        index = files.read_arrays(Path(self.whole.prediction_files()[0]))["index"]
        if not np.isin(self.leaked, index).all():
            raise CellarError(
                f"{self.whole.prediction_files()[0]} and {self.pairs} are not of one data set; build both again"
            )
        had = np.isin(index, self.leaked)
        return {
            "all": ("all test images", np.ones(len(had), bool)),
            "copied": ("those with copies", had),
            "others": ("the others", ~had),
        }

    @cached_property
    def hits(self) -> tuple[np.ndarray, np.ndarray]:
        """Without and with the copies: whether each test image was classified correctly, bool (seeds, N). Rows of prepared
        arrays differ between the two sets, the order of test images does not."""
        labels: list[np.ndarray] = []
        hits: tuple[list[np.ndarray], list[np.ndarray]] = [], []
        for runs, correct in zip((self.dropped, self.whole), hits, strict=True):
            for path in runs.prediction_files():
                saved = files.read_arrays(Path(path))
                labels.append(saved["labels"])
                correct.append(saved["logits"].argmax(axis=1) == saved["labels"])
                if not np.array_equal(labels[-1], labels[0]):
                    raise CellarError(
                        f"{path} holds other test images than the runs it is compared with; build them again"
                    )
        return np.stack(hits[0]), np.stack(hits[1])

    def cells(self, params: Params, chosen: np.ndarray) -> dict[str, Cell]:
        n = int(chosen.sum())
        if not n:
            return {"images": Cell("counted", 0, "count"), **dict.fromkeys(("whole", "dropped", "gain"), NO_IMAGE)}
        dropped, whole = (hits[:, chosen] for hits in self.hits)
        cells = {
            "images": Cell("counted", n, "count"),
            "whole": judged_cell(self.whole, params, rates(whole), [n] * len(whole)),
            "dropped": judged_cell(self.dropped, params, rates(dropped), [n] * len(dropped)),
            "gain": gain_cell(whole, dropped),
        }
        stages = [paths.stage_address("audit", self.whole.dataset), *self.whole.stages(), *self.dropped.stages()]
        read = [str(self.pairs), *self.whole.prediction_files(), *self.dropped.prediction_files()]
        return {key: replace(cell, stage=stages, metrics=read) for key, cell in cells.items()}


def rates(hits: np.ndarray) -> list[float]:
    """Accuracy of each seed in percent, from bool (seeds, N)."""
    return [float(rate) for rate in hits.mean(axis=1) * 100]


def gain_cell(whole: np.ndarray, dropped: np.ndarray) -> Cell:
    """Accuracy with minus without the copies in points, paired over seeds from 3 on, else over test images."""
    seeds, n = whole.shape
    if seeds >= SEVERAL:
        mean, interval = intervals.paired_seeds(rates(whole), rates(dropped))
        n, method = seeds, f"paired t over {seeds} seeds"
    else:
        mean, interval = intervals.paired_images(whole, dropped)
        method = f"paired on {n} images (Agresti and Min)"
    return Cell("derived", round(mean, DIGITS), "points", n=n, interval=rounded(interval), method=method)


def notes() -> list[str]:
    return [
        "Those with copies: test images that are in the whole training or validation data too, as an exact, near or "
        "mirrored copy (docs/audit.md). Without: trained with all such copies left out (drop_leaked).",
        "The copies bring: accuracy with minus accuracy without. Left out, they are missing as training images too; what "
        "that costs shows on the others.",
    ]
