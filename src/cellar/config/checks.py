"""What no single line of params.yaml can know: how it fits the others. Each check raises CellarError, one line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cellar.config import Config, Params, Teacher, published
from cellar.config.lines import ExperimentTeacher, Line
from cellar.config.validation_errors import likely
from cellar.errors import CellarError

SHARED = ("generators", "faces", "published", "teachers")  # sections whose names mean the same in every study


def check(config: Config, source_of: Callable[[str], Path]) -> None:
    """Raise CellarError for the first problem, with the file that its value came from."""
    for key, problem in problems(config, source_of):
        raise CellarError(f"{source_of(key)}: {key}: {problem}")


def problems(config: Config, source_of: Callable[[str], Path]) -> Iterator[tuple[str, str]]:
    """(dotted key, what is wrong and what to do) of everything that is wrong."""
    yield from dataset_problems(config)
    for params in config.all_params():
        yield from reference_problems(params)
        yield from published_problems(params)
        yield from line_problems(params)
        yield from off_problems(params)
        yield from export_problems(params)
        yield from generator_problems(params)
        yield from cycle_problems(params)
    yield from shared_problems(config, source_of)


def dataset_problems(config: Config) -> Iterator[tuple[str, str]]:
    """Where synthetic sets are kept, and which layouts have faces."""
    for name, dataset in config.datasets.items():
        if dataset.source.synthetic and dataset.path != f"data/raw/sample/{name}":
            yield f"datasets.{name}.path", f"a synthetic set is kept in data/raw/sample/{name}; write that"
        if dataset.source.synthetic and dataset.layout == "image_folder":
            yield f"datasets.{name}", "synthetic faces have the layouts fer2013 and raf_db; choose one"


def reference_problems(params: Params) -> Iterator[tuple[str, str]]:
    for key, section, name in params.references():
        known = list(getattr(params, section))
        if name not in known:
            place = section if section == "datasets" else params.place(section)
            yield key, f"{place} has no {name!r}{likely(name, known)}; add it or correct the name"


def published_problems(params: Params) -> Iterator[tuple[str, str]]:
    """`cellar download NAME` takes a data set or a published file; weights are fed the images that they learnt."""
    for name in params.published.keys() & params.datasets.keys():
        yield params.place("published", name), "a data set has this name too; rename one of them"
    yield from published.fed_otherwise(params)


def line_problems(params: Params) -> Iterator[tuple[str, str]]:
    """Two experiments in one row, a teacher of another data set."""
    rows: dict[tuple[str, str], str] = {}
    for key, line in params.experiments.items():
        other = rows.setdefault((line.dataset, line.row), key)
        if other != key:
            yield (
                params.place("experiments", key, "row"),
                f"experiments.{other} is row {line.row} of {line.dataset} too; rename one row",
            )
    yield from teacher_problems(params)


def teacher_problems(params: Params) -> Iterator[tuple[str, str]]:
    """A student learns its data set from a teacher of that data set; on faces without labels, from any."""
    for section, lines in (("experiments", params.experiments), ("sweeps", params.sweeps)):
        for key, line in lines.items():
            teacher = params.teacher_of(line)
            if teacher and not getattr(line, "faces", None) and teacher.dataset != line.dataset:
                yield (
                    params.place(section, key, "teacher"),
                    f"it was trained on {teacher.dataset}, not {line.dataset}; name a teacher of the same data set",
                )


def off_problems(params: Params) -> Iterator[tuple[str, str]]:
    """What is not trained, as its data set is off, but needed: its weights are missing, or of an earlier run."""
    for key, (section, name) in needs(params):
        needed = getattr(params, section)[name]
        if not params.is_on(needed):
            yield key, f"needs {section}.{name}, whose data set {needed.dataset} is off; switch it on, or name another"


def needs(params: Params) -> Iterator[tuple[str, tuple[str, str]]]:
    """(dotted key, (section, name) of what it needs trained) of every line that is on, and of the faces that these use."""
    for section in ("teachers", "experiments"):
        for key, line in getattr(params, section).items():
            if params.is_on(line):
                yield from ((params.place(section, key), needed) for needed in needed_trainings(line))
    for key in params.used_faces():
        if generator := params.faces[key].generator:
            yield params.place("faces", key), ("generators", generator)


def export_problems(params: Params) -> Iterator[tuple[str, str]]:
    for key, export in params.exports.items():
        line = params.exported(export)
        seeds = params.seeds_of(line)
        if isinstance(line, Teacher) and line.weights and export.seed is not None:
            yield (
                params.place("exports", key, "seed"),
                f"{export.source[1]} is a file of weights, without a seed; take it out",
            )
        elif params.export_seed(export) not in seeds:
            yield (
                params.place("exports", key, "seed"),
                f"{export.source[1]} is trained with the seeds {', '.join(map(str, seeds))}; name one of them",
            )


def generator_problems(params: Params) -> Iterator[tuple[str, str]]:
    for key, generator in params.generators.items():
        if params.recipes[generator.recipe].processes > 1:
            yield (
                params.place("generators", key),
                f"its two networks are trained in one process; set processes: 1 in recipes.{generator.recipe}, "
                "or give it a recipe of its own",
            )


def cycle_problems(params: Params) -> Iterator[tuple[str, str]]:
    """A training that needs another's weights, to start from or as a teacher, must not need its own in the end."""
    for section in ("teachers", "experiments"):
        for key in getattr(params, section):
            cycle = path_back(params, [(section, key)])
            if cycle:
                names = " -> ".join(f"{place}.{name}" for place, name in cycle)
                yield (
                    params.place(section, key),
                    f"its start or teacher leads back to itself ({names}); begin elsewhere",
                )


def path_back(params: Params, path: list[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """`path` continued until it is at its first training again; None where it never is."""
    section, key = path[-1]
    for needed in needed_trainings(getattr(params, section)[key]):
        if needed == path[0]:
            return [*path, needed]
        if needed not in path and (cycle := path_back(params, [*path, needed])):
            return cycle
    return None


def needed_trainings(line: Line) -> Iterator[tuple[str, str]]:
    """(section, name) of the trainings whose weights a line needs."""
    teacher = getattr(line, "teacher", None)
    if isinstance(teacher, ExperimentTeacher):
        yield "experiments", teacher.experiment
    elif teacher:
        yield "teachers", teacher
    if line.start and line.start.teacher:
        yield "teachers", line.start.teacher
    if line.start and line.start.experiment:
        yield "experiments", line.start.experiment


def shared_problems(config: Config, source_of: Callable[[str], Path]) -> Iterator[tuple[str, str]]:
    """What two studies declare by one name is one thing, trained or made once: it must be the same in both."""
    for section in SHARED:
        for name, first in config.declaring(section).items():
            for params in config.all_params():
                if name not in getattr(params, section):
                    continue
                here, there = resolved(params, section, name), resolved(first, section, name)
                for field in [field for field in here if here[field] != there[field]]:
                    key, other = params.place(section, name, field), first.place(section, name, field)
                    yield (
                        key,
                        f"{here[field]!r}, but {other} is {there[field]!r} ({source_of(other)}); make them the same",
                    )


def resolved(params: Params, section: str, name: str) -> dict[str, Any]:
    """A declaration with defaults, with its recipe and its seeds in place of their names."""
    entry = getattr(params, section)[name]
    values: dict[str, Any] = entry.model_dump()
    if section in ("teachers", "generators"):
        values["recipe"] = params.recipes[entry.recipe].model_dump()
        values["seeds"] = params.seeds_of(entry)
    if getattr(entry, "start", None) and entry.start.experiment:
        values["start"]["experiment"] = f"{params.study}/{entry.start.experiment}"
    return values
