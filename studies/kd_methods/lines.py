"""The lines of params.yaml, pair by pair: each experiment is called `<pair>-<method>`."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cellar.config import Experiment, Params, Teacher
from cellar.tables.runs import Runs, runs_of, teacher_runs_of

from .printed import ALONE, KD, LABELS


@dataclass(frozen=True)
class Pair:
    """A teacher and a student on a data set; `students`: method -> its line and runs, in the order of params.yaml."""

    name: str
    teacher: Runs | None = None
    students: dict[str, tuple[Experiment, Runs]] = field(default_factory=dict)


def pairs(params: Params) -> dict[str, Pair]:
    """Those of which a student with a teacher runs."""
    found: dict[str, Pair] = {}
    for key, line in params.experiments.items():
        name, _, method = key.rpartition("-")
        if name and params.is_on(line):
            pair = found.setdefault(name, Pair(name))
            pair.students[method] = line, runs_of(params, key, line)
            if isinstance(line.teacher, str) and pair.teacher is None:
                found[name] = replace(pair, teacher=first_runs(params, line.teacher))
    return {name: pair for name, pair in found.items() if pair.teacher}


def first_runs(params: Params, teacher: str) -> Runs:
    """The run of a teacher that students learn from."""
    line: Teacher = params.teacher(teacher)
    return teacher_runs_of(params, teacher, line).first()


def pair_of(params: Params, name: str) -> Pair:
    return pairs(params)[name]


def baseline(params: Params, pair: Pair, method: str, seeds: tuple[int, ...]) -> Runs | None:
    """The student alone, or with KD, by these seeds; the student alone of another pair with the same student serves too."""
    line, runs = pair.students.get(method) or (None, None)
    if line is None and method == ALONE:
        runs = next(same_student(params, pair), None)
    return replace(runs, seeds=seeds) if runs and set(seeds) <= set(runs.seeds) else None


def same_student(params: Params, pair: Pair) -> Iterator[Runs]:
    """Students alone with the network, data set and recipe of a pair."""
    line, _ = pair.students.get(KD) or next(iter(pair.students.values()))
    for key, other in params.experiments.items():
        same = (other.model, other.dataset, other.recipe) == (line.model, line.dataset, line.recipe)
        if key.endswith(f"-{ALONE}") and same and params.is_on(other):
            yield runs_of(params, key, other)


def heading(method: str) -> str:
    """What a method is called in tables: as it is printed."""
    return "student alone" if method == ALONE else LABELS.get(method, (method,))[0]
