"""Lines: teachers, experiments, and the grids of experiments that a sweep stands for."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from cellar.config.section import FilePath, Name, Positive, Section, Seeds, exactly_one


class Start(Section):
    """Where the weights come from that a training begins with: exactly one of a teacher, an experiment, a file."""

    teacher: Name | None = None
    experiment: Name | None = None
    weights: FilePath | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("teacher", "experiment", "weights"))
        return self


class Line(Section):
    """What teachers and students have in common. `input_size` and `normalisation` are the data set's if not given.

    `start`: begin with those weights, all but the last layer's, and, with `freeze`, train the last layer alone;
    `frozen_batch_norm: train` lets the running statistics of what is frozen move on, as the Pins study's code does.
    """

    dataset: Name
    model: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\+(connector|sigmoid))?$")]
    recipe: Name
    seeds: Seeds | None = None
    input_size: Annotated[int, Field(ge=8)] | None = None
    normalisation: Literal["imagenet", "cifar100", "unit", "vggface2"] | None = None
    start: Start | None = None
    freeze: bool = False
    frozen_batch_norm: Literal["eval", "train"] = "eval"

    @model_validator(mode="after")
    def start_in_full(self) -> Self:
        missing = [key for key in ("freeze", "frozen_batch_norm") if key not in self.model_fields_set]
        if self.start is not None and missing:
            raise ValueError(f"a line with start says freeze and frozen_batch_norm (missing: {', '.join(missing)})")
        if self.freeze and self.start is None:
            raise ValueError("freeze without start would keep random weights: say what to start from")
        return self


class Teacher(Line):
    """`weights`: a file to use instead of a training, as it is."""

    weights: FilePath | None = None

    @property
    def evaluation(self) -> str:
        """The kind of stage that evaluates it."""
        return "evaluate_teacher"

    @model_validator(mode="after")
    def trained_or_given(self) -> Self:
        if self.weights and self.start:
            raise ValueError(
                "weights and start exclude each other: weights are used as they are, a start is trained on"
            )
        return self


NAME = TypeAdapter(Name)  # slow to make


class ExperimentTeacher(Section):
    """An experiment of the same study as a teacher, by its first seed."""

    experiment: Name


def check_teacher(value: object) -> object:
    """A name, or {experiment: NAME}; an error is reported for the form that was attempted, not for both."""
    if isinstance(value, dict):
        return ExperimentTeacher.model_validate(value)
    if isinstance(value, ExperimentTeacher):
        return value
    return NAME.validate_python(value, strict=True)


def check_method(value: object) -> object:
    """Only the form: which parameters a method takes is checked by the method itself, when settings are resolved."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError("a method is a mapping with its name, such as {name: labels}")
    return value


Method = Annotated[dict[str, Any], BeforeValidator(check_method)]


class Experiment(Line):
    """One row of a table on one data set.

    `method`: the name of a method (cellar.methods, or the study's own) and its parameters; `labels` if not given.
    `teacher`: what it learns from; `faces`: the images without labels that it learns on, instead of its data set's.
    """

    row: Name
    teacher: Annotated[Name | ExperimentTeacher | None, BeforeValidator(check_teacher)] = None
    faces: Name | None = None
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
