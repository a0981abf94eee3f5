"""Lines: teachers, experiments, and the grids of experiments that a sweep stands for."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from cellar.config.data import Normalisation
from cellar.config.section import FilePath, Name, OneOf, Positive, Section, Seeds

AS_DATASET = "as_dataset"


class Start(OneOf):
    """Where the weights come from that a training begins with: exactly one of a teacher, an experiment, a file."""

    ways: ClassVar = ("teacher", "experiment", "weights")

    teacher: Name | None = None  # a teacher, trained with its first seed
    experiment: Name | None = None  # an experiment of the same study, trained with the same seed
    weights: FilePath | None = None  # a file of weights
    weights_key: str | None = None  # where in that file they lie, if several fit (the model's, and an average of it)

    @model_validator(mode="after")
    def key_of_its_file(self) -> Self:
        key_of_a_file(self.weights, self.weights_key)
        return self


def key_of_a_file(weights: str | None, key: str | None) -> None:
    if key and not weights:
        raise ValueError("weights_key says where in a file the weights lie: name the file as weights")


class Line(Section):
    """What teachers and students have in common."""

    dataset: Name  # the data set that it is trained on
    # the network; a suffix adds a connector of 2048 outputs before the last layer: NAME+connector, or NAME+sigmoid,
    # whose features also go through a sigmoid
    model: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\+(connector|sigmoid))?$")]
    recipe: Name  # the study's recipe that it is trained by
    seeds: Seeds | None = None  # its own seeds, instead of the run's; one training each
    input_size: Annotated[int, Field(ge=8)] | None = None  # side of the inputs in pixels, if not the data set's
    normalisation: Normalisation | None = None  # how pixel values are scaled, if not as for the data set
    start: Start | None = None  # the weights that the training begins with, all but the last layer's
    freeze: bool = False  # true: of a started network, train the last layer alone
    # train: the running statistics of what is frozen move on, as in the Pins study's code; eval: they stay
    frozen_batch_norm: Literal["eval", "train"] = "eval"

    @model_validator(mode="after")
    def start_in_full(self) -> Self:
        missing = [key for key in ("freeze", "frozen_batch_norm") if key not in self.model_fields_set]
        if self.start is not None and missing:
            raise ValueError(f"a line with start says freeze and frozen_batch_norm (missing: {', '.join(missing)})")
        if self.freeze and self.start is None:
            raise ValueError("freeze without start would keep random weights: say what to start from")
        return self


def check_outputs(value: object) -> object:
    """Class names; a number is a name too."""
    if value == AS_DATASET:
        return value
    if not isinstance(value, list) or any(isinstance(one, bool) or not isinstance(one, str | int) for one in value):
        raise ValueError(f"say the class names in the order of the network's outputs, or {AS_DATASET}")
    names = list(map(str, value))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"{twice} stands there twice; name each output once")
    return names


Outputs = Annotated[Literal["as_dataset"] | list[str], BeforeValidator(check_outputs)]


class Teacher(Line):
    """A network that students learn from."""

    weights: FilePath | None = None  # a file of published weights to use as it is, instead of a training
    weights_key: str | None = None  # where in that file they lie, if several fit (the model's, and an average of it)
    # what the outputs of that file stand for: class names in their order, or as_dataset where they are in the data set's
    # own order (for folders: sorted by name)
    classes: Outputs | None = None

    @property
    def evaluation(self) -> str:
        """The kind of stage that evaluates it."""
        return "evaluate_teacher"

    @model_validator(mode="after")
    def trained_or_given(self) -> Self:
        key_of_a_file(self.weights, self.weights_key)
        if self.weights and self.start:
            raise ValueError(
                "weights and start exclude each other: weights are used as they are, a start is trained on"
            )
        if self.classes is not None and not self.weights:
            raise ValueError("classes names the outputs of a weights file: give weights, or take classes out")
        return self


NAME = TypeAdapter(Name)  # slow to make


class ExperimentTeacher(Section):
    """An experiment of the same study as a teacher, by its first seed."""

    experiment: Name  # the name of the experiment


def check_teacher(value: object) -> object:
    """A name, {experiment: NAME} or null; an error is reported for the form that was attempted, not for both."""
    if isinstance(value, dict):
        return ExperimentTeacher.model_validate(value)
    if value is None or isinstance(value, ExperimentTeacher):
        return value
    return NAME.validate_python(value, strict=True)


TeacherOf = Annotated[Name | ExperimentTeacher, BeforeValidator(check_teacher)]


def check_method(value: object) -> object:
    """Only the form: which parameters a method takes is checked by the method itself, when settings are resolved."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError("a method is a mapping with its name, such as {name: labels}")
    return value


Method = Annotated[dict[str, Any], BeforeValidator(check_method)]


class Experiment(Line):
    """One row of a table on one data set: a student."""

    row: Name  # the name by which tables select it; unique within a data set
    # what it learns from: the name of a teacher, or {experiment: NAME}
    teacher: Annotated[Name | ExperimentTeacher | None, BeforeValidator(check_teacher)] = None
    faces: Name | None = None  # the images without labels that it learns on, instead of its data set's
    # how it is trained: the name of a method (cellar.methods, or the study's own) and its parameters; labels if not given
    method: Method = Field(default_factory=lambda: {"name": "labels"})

    @property
    def method_name(self) -> str:
        return str(self.method["name"])

    @property
    def evaluation(self) -> str:
        """The kind of stage that evaluates it."""
        return "evaluate_student"


class Sweep(Section):
    """A temperature x task_weight grid over one student; distill_weight is 1 - task_weight."""

    dataset: Name  # the data set that the students are trained on
    model: Name  # the students' network
    recipe: Name  # the study's recipe that they are trained by
    teacher: TeacherOf  # what they learn from: the name of a teacher, or {experiment: NAME}
    temperatures: Annotated[list[Positive], Field(min_length=1)]  # temperatures of the grid
    task_weights: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]  # weights of the labels
    loss_form: Literal["weighted", "eq6_literal"] = "weighted"  # how the two losses are added (cellar.methods.logit_kd)
    seeds: Seeds | None = None  # its own seeds, instead of the run's

    def experiments(self, sweep: str) -> dict[str, Experiment]:
        """One experiment a grid point, keyed `<sweep>-T3-w0.15`."""
        common = self.model_dump(include={"dataset", "model", "recipe", "teacher", "seeds"})
        return {
            f"{sweep}-{row}": Experiment(row=row, method=self.method(t, w), **common)
            for t in self.temperatures
            for w in self.task_weights
            for row in [f"T{t:g}-w{w:g}"]
        }

    def method(self, temperature: float, task_weight: float) -> dict[str, Any]:
        weights = {"task_weight": task_weight, "distill_weight": round(1 - task_weight, 10)}
        return {"name": "logit_kd", "temperature": temperature, **weights, "loss_form": self.loss_form}
