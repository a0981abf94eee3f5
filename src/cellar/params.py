"""params.yaml, read strictly: every key known, every value in range, every name that is used declared.

A mistake is one CellarError line that says where it is and, for a misspelt key, which one was likely meant.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cellar.errors import CellarError
from cellar.mistakes import explain, likely
from cellar.strict_yaml import read_yaml

PARAMS_FILE = Path("params.yaml")

Line = TypeVar("Line")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Scale(Section):
    """The size of a run. `drawn` says that the images are drawn, and every table says so in its first line."""

    name: Name
    drawn: bool
    note: str


class Draw(Section):
    """How many faces to draw, per split; RAF-DB has no validation split of its own."""

    seed: Annotated[int, Field(ge=0)]
    train: Annotated[int, Field(ge=70)]
    validation: Annotated[int, Field(ge=0)] = 0
    test: Annotated[int, Field(ge=70)]


class Source(Section):
    """Where raw files come from: exactly one of draw, url (with sha256), kaggle, manual (what to do by hand)."""

    draw: Draw | None = None
    url: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    kaggle: str | None = None
    manual: str | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        given = [k for k in ("draw", "url", "kaggle", "manual") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of draw, url, kaggle, manual (found: {', '.join(given) or 'none'})")
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self


class Dataset(Section):
    """`input_size` is the side, in pixels, that models see; `validation_fraction` and `split_seed` serve
    the layouts that come without a validation split."""

    enabled: bool
    layout: Literal["fer2013", "raf_db", "image_folder"]
    path: str
    input_size: Annotated[int, Field(ge=8)]
    source: Source
    validation_fraction: Fraction = 0.1
    split_seed: Annotated[int, Field(ge=0)] = 0


class Recipe(Section):
    """How a model is trained (Mini-ResEmoteNet, sec. III.D; its silences: docs/readings.md)."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Weight
    plateau_factor: Fraction
    plateau_patience: Annotated[int, Field(ge=0)]
    early_stop: Count
    class_weighting: Literal["none", "balanced"]
    select_on: Literal["validation_accuracy", "validation_loss"]


class Teacher(Section):
    dataset: Name
    model: Name
    recipe: Name
    weights: str | None = None
    seeds: Seeds | None = None


class Experiment(Section):
    """One row of a table on one data set. Without `teacher` the student learns from the labels alone."""

    dataset: Name
    row: Name
    model: Name
    recipe: Name
    teacher: Name | None = None
    temperature: Positive = 1
    task_weight: Weight = 1
    distill_weight: Weight = 0
    loss_form: Literal["weighted", "eq6_literal"] = "weighted"
    seeds: Seeds | None = None

    @model_validator(mode="after")
    def complete(self) -> Self:
        needed = ("temperature", "task_weight", "distill_weight", "loss_form")
        missing = [key for key in needed if key not in self.model_fields_set]
        if self.teacher is not None and missing:
            raise ValueError(f"a line with a teacher says {', '.join(needed)} in full (missing: {', '.join(missing)})")
        return self

    @model_validator(mode="after")
    def something_to_learn(self) -> Self:
        if self.teacher is None and self.distill_weight:
            raise ValueError("distill_weight without a teacher: name one, or leave the weight out")
        if self.teacher is not None and self.task_weight == 0 and self.distill_weight == 0:
            raise ValueError("task_weight and distill_weight are both 0: nothing would be learnt")
        return self


class Sweep(Section):
    """A temperature x task_weight grid over one student; distill_weight is 1 - task_weight."""

    dataset: Name
    model: Name
    recipe: Name
    teacher: Name
    temperatures: Annotated[list[Positive], Field(min_length=1)]
    task_weights: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]
    loss_form: Literal["weighted", "eq6_literal"] = "weighted"
    seeds: Seeds | None = None

    def experiments(self, sweep: str) -> dict[str, Experiment]:
        """One experiment a grid point, keyed `<sweep>-T3-w0.15`."""
        common = self.model_dump(include={"dataset", "model", "recipe", "teacher", "loss_form", "seeds"})
        return {
            f"{sweep}-{row}": Experiment(
                row=row, temperature=t, task_weight=w, distill_weight=round(1 - w, 10), **common
            )
            for t in self.temperatures
            for w in self.task_weights
            for row in [f"T{t:g}-w{w:g}"]
        }


class TeacherCache(Section):
    batch_size: Count


class Evaluation(Section):
    batch_size: Count


class Costs(Section):
    batch_sizes: Annotated[list[Count], Field(min_length=1)]
    warmup: Annotated[int, Field(ge=0)]
    repeats: Annotated[int, Field(ge=2)]


class Params(Section):
    scale: Scale
    threads: Count
    precision: Literal["fp32", "bf16"]
    seeds: Seeds
    datasets: dict[Name, Dataset]
    recipes: dict[Name, Recipe]
    teachers: dict[Name, Teacher]
    experiments: dict[Name, Experiment]
    sweeps: dict[Name, Sweep] = {}
    teacher_cache: TeacherCache
    evaluation: Evaluation
    costs: Costs

    def seeds_of(self, line: Teacher | Experiment | Sweep) -> list[int]:
        return line.seeds or self.seeds

    def teacher_seed(self, teacher: str) -> int:
        """The seed of the teacher that students learn from: the first of its list."""
        return self.seeds_of(self.teacher(teacher))[0]

    def dataset(self, name: str) -> Dataset:
        return one_of("datasets", self.datasets, name)

    def teacher(self, name: str) -> Teacher:
        return one_of("teachers", self.teachers, name)

    def experiment(self, name: str) -> Experiment:
        """A line of experiments, or a point of a sweep."""
        points = {key: line for sweep, grid in self.sweeps.items() for key, line in grid.experiments(sweep).items()}
        return one_of("experiments", {**self.experiments, **points}, name)

    def is_on(self, line: Teacher | Experiment | Sweep) -> bool:
        return self.datasets[line.dataset].enabled

    def references(self) -> Iterator[tuple[str, str, str]]:
        """(where, section, name) of every name that one line uses of another section."""
        for section in ("teachers", "experiments", "sweeps"):
            for key, line in getattr(self, section).items():
                yield f"{section}.{key}.dataset", "datasets", line.dataset
                yield f"{section}.{key}.recipe", "recipes", line.recipe
                if getattr(line, "teacher", None):
                    yield f"{section}.{key}.teacher", "teachers", line.teacher


def one_of(section: str, lines: dict[str, Line], name: str) -> Line:
    """The line called `name`. Raises CellarError that suggests the likely one."""
    if name not in lines:
        raise CellarError(
            f"{PARAMS_FILE}: {section} has no {name!r}{likely(name, list(lines))}; known: {', '.join(lines)}"
        )
    return lines[name]


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and check a parameter file. Raises CellarError, one line, for the first thing that is wrong."""
    raw = read_yaml(path)
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        raise CellarError(f"{path}: {explain(error, Params)}") from None
    for where, section, name in params.references():
        known = list(getattr(params, section))
        if name not in known:
            raise CellarError(
                f"{path}: {where}: {section} has no {name!r}{likely(name, known)}; add it or mend the name"
            )
    check_lines(params, path)
    return params


def check_lines(params: Params, path: Path) -> None:
    """What no single line can know: two experiments in one place, a teacher of another data set, other models."""
    from cellar.models import known

    for name, dataset in params.datasets.items():
        if dataset.source.draw and dataset.path != f"data/raw/sample/{name}":
            raise CellarError(
                f"{path}: datasets.{name}.path: a drawn set is kept in data/raw/sample/{name}; write that"
            )
        if dataset.source.draw and dataset.layout == "image_folder":
            raise CellarError(
                f"{path}: datasets.{name}: faces are drawn in the layouts fer2013 and raf_db only; choose one"
            )
    rows: dict[tuple[str, str], str] = {}
    for key, line in params.experiments.items():
        other = rows.setdefault((line.dataset, line.row), key)
        if other != key:
            raise CellarError(
                f"{path}: experiments.{key} and experiments.{other} are both row {line.row} of {line.dataset}; rename one row"
            )
    for section in ("teachers", "experiments", "sweeps"):
        for key, line in getattr(params, section).items():
            if line.model not in known():
                raise CellarError(
                    f"{path}: {section}.{key}.model: no model is called {line.model!r}{likely(line.model, known())}; known: {', '.join(known())}"
                )
            teacher = getattr(line, "teacher", None)
            if teacher and params.teachers[teacher].dataset != line.dataset:
                raise CellarError(
                    f"{path}: {section}.{key}: teacher {teacher} knows {params.teachers[teacher].dataset}, not {line.dataset}; give it a teacher of its own data set"
                )
