"""The lines of params.yaml, pair by pair: each experiment is called `<pair>-<method>`."""

from dataclasses import dataclass, field, replace

from cellar.config import Experiment, Params
from cellar.tables.comparable import teacher_of
from cellar.tables.runs import Runs, runs_of

from .printed import ALONE, DATASET, KD, LABELS, networks, printed_pairs


@dataclass(frozen=True)
class Pair:
    """A teacher (or a student that teaches another) and a student on a data set.

    students: method -> its line and runs, in the order of params.yaml.
    """

    name: str
    teacher: Runs | None = None
    students: dict[str, tuple[Experiment, Runs]] = field(default_factory=dict)

    @property
    def is_printed(self) -> bool:
        """Whether it has the data set and the teacher's network of the printed pair of its name."""
        if self.name not in printed_pairs() or self.teacher is None:
            return False
        return (self.teacher.dataset, self.teacher.model) == (DATASET, networks(self.name)[0])


def pairs(params: Params) -> dict[str, Pair]:
    """Those of which a student with a teacher runs."""
    found: dict[str, Pair] = {}
    for key, line in params.experiments.items():
        name, _, method = key.rpartition("-")
        if name and params.is_on(line):
            pair = found.setdefault(name, Pair(name))
            pair.students[method] = line, runs_of(params, key, line)
            if pair.teacher is None:
                found[name] = replace(pair, teacher=teacher_of(params, line))
    return {name: pair for name, pair in found.items() if pair.teacher}


def pair_of(params: Params, name: str) -> Pair:
    return pairs(params)[name]


def baseline(params: Params, pair: Pair, method: str, seeds: tuple[int, ...]) -> Runs | None:
    """The student alone, or with KD, by these seeds; the student alone of another pair with the same student serves too."""
    runs = student_alone(params, pair) if method == ALONE else pair.students.get(method, (None, None))[1]
    return replace(runs, seeds=seeds) if runs and set(seeds) <= set(runs.seeds) else None


def student_alone(params: Params, pair: Pair) -> Runs | None:
    """Of the pair, or of another pair with the same network, data set and recipe."""
    if ALONE in pair.students:
        return pair.students[ALONE][1]
    line, _ = pair.students.get(KD) or next(iter(pair.students.values()))
    for key, other in params.experiments.items():
        same = (other.model, other.dataset, other.recipe) == (line.model, line.dataset, line.recipe)
        if key.endswith(f"-{ALONE}") and same and params.is_on(other):
            return runs_of(params, key, other)
    return None


def heading(method: str) -> str:
    """What a method is called in tables: as it is printed."""
    return "student alone" if method == ALONE else LABELS.get(method, (method,))[0]
