"""params.yaml, read strictly: every key known, every value in range, every name that is used declared.

A mistake is one CellarError line that says where it is and, for a misspelt key, which one was likely meant.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from cellar import paths
from cellar.config.data import Dataset, Draw, Source
from cellar.config.faces import Faces, Generator
from cellar.config.lines import Experiment, Features, Line, Sweep, Tasks, Teacher, Triplets
from cellar.config.published import Published
from cellar.config.recipe import Recipe, Schedule
from cellar.config.section import Count, Name, Section, Seeds
from cellar.config.strict_yaml import read_yaml
from cellar.config.validation_errors import explain, likely
from cellar.errors import CellarError

__all__ = [
    "Dataset",
    "Draw",
    "Experiment",
    "Faces",
    "Features",
    "Generator",
    "Line",
    "Params",
    "Published",
    "Recipe",
    "Schedule",
    "Source",
    "Sweep",
    "Tasks",
    "Teacher",
    "Triplets",
    "load",
]

PARAMS_FILE = Path("params.yaml")
STAGES = {  # method -> the stage that trains by it
    "labels": "train_student",
    "logits": "distill_student",
    "features": "pretrain_student",
    "triplets": "train_siamese",
    "tasks": "meta_train",
}
USES = {"dataset": "datasets", "recipe": "recipes", "teacher": "teachers"}  # field of a line -> section of its name

Kind = TypeVar("Kind")


class Scale(Section):
    """The size of a run. `drawn` says that the images are drawn, and every table says so in its first line."""

    name: Name
    drawn: bool
    note: str


class TeacherCache(Section):
    """The teacher's word on (image, view): asked in batches of one size, kept in `storage`, for as many images as
    `budget_mb` (2**20 bytes) has room for; for those past it the teacher is asked anew every time."""

    batch_size: Count
    storage: Literal["fp32", "fp16"]
    budget_mb: Annotated[int, Field(ge=0)]


class Evaluation(Section):
    """`train_of`: data sets whose training images are scored too, as the small-dataset study's tables show them."""

    batch_size: Count
    train_of: list[Name] = Field(default_factory=list)


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
    generators: dict[Name, Generator] = Field(default_factory=dict)
    faces: dict[Name, Faces] = Field(default_factory=dict)
    published: dict[Name, Published] = Field(default_factory=dict)
    teachers: dict[Name, Teacher]
    experiments: dict[Name, Experiment]
    sweeps: dict[Name, Sweep] = Field(default_factory=dict)
    teacher_cache: TeacherCache
    evaluation: Evaluation
    costs: Costs

    def seeds_of(self, line: Line | Sweep | Generator) -> list[int]:
        return line.seeds or self.seeds

    def generator_seed(self, generator: str) -> int:
        return self.seeds_of(self.generator(generator))[0]

    def teacher_seed(self, teacher: str) -> int:
        """The seed of the teacher that students learn from: the first of its list."""
        return self.seeds_of(self.teacher(teacher))[0]

    def dataset(self, name: str) -> Dataset:
        return one_of("datasets", self.datasets, name)

    def drawn(self, name: str, stage: str) -> tuple[Dataset, Draw]:
        """The data set `name` and what to draw of it. Raises CellarError when it is not drawn, or by another stage."""
        section = self.dataset(name)
        if section.source.draw is None:
            raise CellarError(
                f"datasets.{name} is not a drawn set (its source is not draw); get it with: cellar download {name}"
            )
        if section.drawer != stage:
            raise CellarError(
                f"datasets.{name} has layout {section.layout}; draw it with: cellar {section.drawer} {name}"
            )
        return section, section.source.draw

    def teacher(self, name: str) -> Teacher:
        return one_of("teachers", self.teachers, name)

    def generator(self, name: str) -> Generator:
        return one_of("generators", self.generators, name)

    def faces_of(self, name: str) -> Faces:
        return one_of("faces", self.faces, name)

    def experiment(self, name: str) -> Experiment:
        """A line of experiments, or a point of a sweep."""
        points = {key: line for sweep, grid in self.sweeps.items() for key, line in grid.experiments(sweep).items()}
        return one_of("experiments", {**self.experiments, **points}, name)

    def experiment_by(self, name: str, *methods: str) -> Experiment:
        """The experiment `name`. Raises CellarError when it learns by another method than the stage that asks serves."""
        line = self.experiment(name)
        if line.method not in methods:
            raise CellarError(
                f"experiments.{name} learns from {line.method}; its stages are {STAGES[line.method]} and {line.evaluation}"
            )
        return line

    def is_on(self, line: Line | Sweep | Generator) -> bool:
        return self.datasets[line.dataset].enabled

    def input_of(self, line: Line) -> dict[str, Any]:
        """How images become this line's inputs: its data set's way, with what the line says otherwise."""
        whole = self.datasets[line.dataset].model_dump(include={"input_size", "augmentation", "normalisation"})
        return whole | line.model_dump(include={"input_size", "normalisation"}, exclude_none=True)

    def start_file(self, line: Line, seed: int) -> Path | None:
        """The weights that a line starts from: a teacher's, an experiment's of the same seed, or a user's file."""
        if line.start is None:
            return None
        if line.start.weights:
            return Path(line.start.weights)
        if line.start.teacher:
            folder = paths.trained("teachers", line.start.teacher, self.teacher_seed(line.start.teacher))
        else:
            folder = paths.trained("students", str(line.start.experiment), seed)
        return folder / "weights.safetensors"

    def faces_source(self, name: str) -> Path:
        """What faces come from: a trained generator's weights, a published file, a folder of images."""
        section = self.faces_of(name)
        if section.generator:
            return (
                paths.trained("generators", section.generator, self.generator_seed(section.generator))
                / "weights.safetensors"
            )
        return Path(str(section.weights or section.folder))

    def needed_weights(self) -> dict[str, str]:
        """Where a line that is on names a file of weights -> that file."""
        found = {f"faces.{key}.weights": faces.weights for key, faces in self.faces.items() if key in self.used_faces()}
        for section in ("teachers", "experiments"):
            for key, line in getattr(self, section).items():
                if self.is_on(line):
                    found[f"{section}.{key}.weights"] = getattr(line, "weights", None)
                    found[f"{section}.{key}.start.weights"] = line.start.weights if line.start else None
        return {where: weights for where, weights in found.items() if weights}

    def used_faces(self) -> list[str]:
        """Faces that some experiment learns from."""
        lines = self.experiments.values()
        used = {line.features.faces for line in lines if line.features and self.is_on(line)}
        return [name for name in self.faces if name in used]

    def references(self) -> Iterator[tuple[str, str, str]]:
        """(where, section, name) of every name that one line uses of another section."""
        for key, faces in self.faces.items():
            if faces.generator:
                yield f"faces.{key}.generator", "generators", faces.generator
        for section in ("generators", "teachers", "experiments", "sweeps"):
            for key, line in getattr(self, section).items():
                for field, names in USES.items():
                    name = getattr(line, field, None)
                    if name:
                        yield f"{section}.{key}.{field}", names, name
                yield from nested_references(f"{section}.{key}", line)


def nested_references(where: str, line: Any) -> Iterator[tuple[str, str, str]]:
    start, features = getattr(line, "start", None), getattr(line, "features", None)
    if start and start.teacher:
        yield f"{where}.start.teacher", "teachers", start.teacher
    if start and start.experiment:
        yield f"{where}.start.experiment", "experiments", start.experiment
    if features:
        yield f"{where}.features.faces", "faces", features.faces


def one_of(section: str, lines: dict[str, Kind], name: str) -> Kind:
    """The line called `name`. Raises CellarError that suggests the likely one."""
    if name not in lines:
        raise CellarError(
            f"{PARAMS_FILE}: {section} has no {name!r}{likely(name, list(lines))}; known: {', '.join(lines)}"
        )
    return lines[name]


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and check a parameter file. Raises CellarError, one line, for the first thing that is wrong."""
    from cellar.config import checks  # which is about what is defined here

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
    checks.check(params, path)
    return params
