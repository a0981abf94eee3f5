"""The sections of params.yaml, and the view of one study that the rest of the code works on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from cellar import paths
from cellar.config.data import Dataset
from cellar.config.exports import Export
from cellar.config.faces import Faces, Generator
from cellar.config.lines import Experiment, ExperimentTeacher, Line, Sweep, Teacher
from cellar.config.published import Published
from cellar.config.recipe import Recipe
from cellar.config.section import Count, Name, Section, Seeds
from cellar.config.validation_errors import likely
from cellar.errors import CellarError

PARAMS_FILE = Path("params.yaml")

Kind = TypeVar("Kind")


class Scale(Section):
    """The size of a run."""

    name: Name  # what the run is called in tables and in runs/
    synthetic: bool  # whether the images are synthetic; every table then states it in its first line
    note: str  # what the run is and is not; every table shows it


class TeacherCache(Section):
    """The teacher's outputs of (image, view): computed once, and kept on disk."""

    batch_size: Count  # images of one forward pass of the teacher
    storage: Literal["fp32", "fp16"]  # the numbers that outputs are kept in
    # room of each store in MiB (2**20 bytes); outputs of images that find none are computed anew in every epoch
    budget_mb: Annotated[int, Field(ge=0)]


class Evaluation(Section):
    """How predictions are made."""

    batch_size: Count  # images of one forward pass


class Costs(Section):
    """How inference is timed."""

    batch_sizes: Annotated[list[Count], Field(min_length=1)]  # batch sizes that are timed
    warmup: Annotated[int, Field(ge=0)]  # forward passes before the clock starts
    repeats: Annotated[int, Field(ge=2)]  # forward passes that are timed


class Settings(Section):
    """What a whole run has in common."""

    scale: Scale  # the size of the run
    threads: Count  # threads of every stage that uses PyTorch; another number gives other bits
    precision: Literal["fp32", "bf16"]  # fp32, or bf16 where the processor has it
    seeds: Seeds  # one training each; a line may give its own list
    teacher_cache: TeacherCache  # how the teacher's outputs are computed and kept
    evaluation: Evaluation  # how predictions are made
    costs: Costs  # how inference is timed


class StudySections(Section):
    """What one study declares. Names of recipes, experiments and sweeps are its own; the others are shared by name."""

    recipes: dict[Name, Recipe] = Field(default_factory=dict)  # how models are trained
    generators: dict[Name, Generator] = Field(default_factory=dict)  # small StyleGAN2s that are trained here
    faces: dict[Name, Faces] = Field(default_factory=dict)  # images without labels that students learn on
    published: dict[Name, Published] = Field(default_factory=dict)  # files of weights that others published
    teachers: dict[Name, Teacher] = Field(default_factory=dict)  # networks that students learn from
    experiments: dict[Name, Experiment] = Field(default_factory=dict)  # students, one row of a table each
    sweeps: dict[Name, Sweep] = Field(default_factory=dict)  # grids of temperatures and weights, targets of their own
    exports: dict[Name, Export] = Field(default_factory=dict)  # students as ONNX files, for use outside the pipeline


class ParamsFile(Settings):
    """params.yaml as it is written."""

    datasets: dict[Name, Dataset]  # the data sets, which studies share
    studies: dict[Name, StudySections]  # what each study declares


class Params(Settings, StudySections):
    """The view of one study: its own sections, the settings of the run, and all data sets of params.yaml."""

    study: Name
    datasets: dict[Name, Dataset]

    def seeds_of(self, line: Line | Sweep | Generator) -> list[int]:
        return line.seeds or self.seeds

    def generator_seed(self, generator: str) -> int:
        return self.seeds_of(self.generator(generator))[0]

    def teacher_seed(self, teacher: str) -> int:
        """The seed of the teacher that students learn from: the first of its list."""
        return self.seeds_of(self.teacher(teacher))[0]

    def dataset(self, name: str) -> Dataset:
        return entry_of("datasets", self.datasets, name)

    def teacher(self, name: str) -> Teacher:
        return entry_of(self.place("teachers"), self.teachers, name)

    def generator(self, name: str) -> Generator:
        return entry_of(self.place("generators"), self.generators, name)

    def faces_of(self, name: str) -> Faces:
        return entry_of(self.place("faces"), self.faces, name)

    def experiment(self, name: str) -> Experiment:
        """A line of experiments, or a point of a sweep."""
        points = {key: line for sweep, grid in self.sweeps.items() for key, line in grid.experiments(sweep).items()}
        return entry_of(self.place("experiments"), {**self.experiments, **points}, name)

    def exported(self, export: Export) -> Teacher | Experiment:
        section, name = export.source
        return self.teacher(name) if section == "teachers" else self.experiment(name)

    def export_seed(self, export: Export) -> int:
        return self.seeds_of(self.exported(export))[0] if export.seed is None else export.seed

    def place(self, *keys: str) -> str:
        """The dotted key, in params.yaml, of something that this study declares."""
        return ".".join(("studies", self.study, *keys))

    def teacher_of(self, line: Experiment | Sweep) -> Teacher | Experiment | None:
        """What an experiment, or each point of a sweep, learns from: a teacher, or another experiment of its study."""
        if isinstance(line.teacher, ExperimentTeacher):
            return self.experiment(line.teacher.experiment)
        return self.teacher(line.teacher) if line.teacher else None

    def teacher_folder(self, line: Experiment) -> Path | None:
        """The training that an experiment learns from: a teacher's or an experiment's, by its first seed."""
        if isinstance(line.teacher, ExperimentTeacher):
            key = line.teacher.experiment
            return self.student_folder(key, self.seeds_of(self.experiment(key))[0])
        return paths.trained("teachers", line.teacher, self.teacher_seed(line.teacher)) if line.teacher else None

    def student_folder(self, experiment: str, seed: int) -> Path:
        return paths.trained("students", f"{self.study}/{experiment}", seed)

    def is_on(self, line: Line | Sweep | Generator) -> bool:
        return self.datasets[line.dataset].enabled

    def input_of(self, line: Line) -> dict[str, Any]:
        """How images become this line's inputs: as its data set declares, except for what the line itself states."""
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
            folder = self.student_folder(str(line.start.experiment), seed)
        return folder / "weights.safetensors"

    def faces_source(self, name: str) -> Path:
        """What faces come from: a trained generator's weights, a published file, a folder of images."""
        section = self.faces_of(name)
        if section.generator:
            folder = paths.trained("generators", section.generator, self.generator_seed(section.generator))
            return folder / "weights.safetensors"
        return Path(str(section.weights or section.folder))

    def needed_weights(self) -> dict[str, str]:
        """Dotted key of every file of weights that an enabled line names -> that file."""
        files = {self.place("faces", key, "weights"): self.faces[key].weights for key in self.used_faces()}
        for section, lines in (("teachers", self.teachers), ("experiments", self.experiments)):
            for key, line in lines.items():
                if self.is_on(line):
                    files[self.place(section, key, "weights")] = getattr(line, "weights", None)
                    files[self.place(section, key, "start.weights")] = line.start.weights if line.start else None
        return {key: weights for key, weights in files.items() if weights}

    def used_faces(self) -> list[str]:
        """Faces that some enabled experiment learns on."""
        used = {line.faces for line in self.experiments.values() if self.is_on(line)}
        return [name for name in self.faces if name in used]

    def references(self) -> Iterator[tuple[str, str, str]]:
        """(dotted key, section, name) of every name by which one line refers to another section."""
        for key, faces in self.faces.items():
            if faces.generator:
                yield self.place("faces", key, "generator"), "generators", faces.generator
        for key, export in self.exports.items():
            section, name = export.source
            yield self.place("exports", key, section.removesuffix("s")), section, name
        sections: dict[str, dict[str, Any]] = {
            "generators": self.generators,
            "teachers": self.teachers,
            "experiments": self.experiments,
            "sweeps": self.sweeps,
        }
        for section, lines in sections.items():
            for key, line in lines.items():
                for field, target, name in references_of(line):
                    yield self.place(section, key, field), target, name


def references_of(line: Any) -> Iterator[tuple[str, str, str]]:
    """(key below the line, section, name) of every name that a line uses."""
    for field, section in (("dataset", "datasets"), ("recipe", "recipes"), ("teacher", "teachers"), ("faces", "faces")):
        if isinstance(name := getattr(line, field, None), str):
            yield field, section, name
    start, teacher = getattr(line, "start", None), getattr(line, "teacher", None)
    if start and start.teacher:
        yield "start.teacher", "teachers", start.teacher
    if start and start.experiment:
        yield "start.experiment", "experiments", start.experiment
    if isinstance(teacher, ExperimentTeacher):
        yield "teacher.experiment", "experiments", teacher.experiment


def entry_of(section: str, entries: dict[str, Kind], name: str) -> Kind:
    """The entry called `name`. Raises CellarError that suggests the likely one."""
    if name not in entries:
        raise CellarError(
            f"{PARAMS_FILE}: {section} has no {name!r}{likely(name, list(entries))}; known: {', '.join(entries)}"
        )
    return entries[name]
