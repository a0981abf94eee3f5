"""Lines: teachers, experiments, and the grids of experiments that a sweep stands for."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.config.section import Count, Name, Positive, Section, Seeds, Weight, exactly_one


class Start(Section):
    """Where the weights come from that a training begins with: exactly one of a teacher, an experiment, a file."""

    teacher: Name | None = None
    experiment: Name | None = None
    weights: str | None = None

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

    @property
    def connected(self) -> bool:
        """Whether the network has a connector, so that one more file of code makes it."""
        return "+" in self.model

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

    weights: str | None = None

    @property
    def evaluation(self) -> str:
        """The stage that evaluates it, as DVC calls it."""
        return "evaluate_teacher_connected" if self.connected else "evaluate_teacher"

    @model_validator(mode="after")
    def trained_or_given(self) -> Self:
        if self.weights and self.start:
            raise ValueError(
                "weights and start exclude each other: weights are used as they are, a start is trained on"
            )
        return self


class Features(Section):
    """Learn a teacher's penultimate activations on faces without labels (small-dataset study, 5.6)."""

    faces: Name
    loss: Literal["mse", "bce"]
    images_per_epoch: Count


class Triplets(Section):
    """Learn distances: one-shot learning with the triplet loss (small-dataset study, 5.1)."""

    margin: Positive
    per_epoch: Count


class Tasks(Section):
    """Learn to learn: MAML (small-dataset study, 5.2), which prints no experiment."""

    ways: Annotated[int, Field(ge=2)]
    shots: Count
    queries: Count
    per_epoch: Count
    inner_learning_rate: Positive
    inner_steps: Count
    first_order: bool

    @property
    def images(self) -> int:
        """Images of one task."""
        return self.ways * (self.shots + self.queries)


class Experiment(Line):
    """One row of a table on one data set. Without `teacher`, `triplets` or `tasks` the student learns from labels."""

    row: Name
    teacher: Name | None = None
    temperature: Positive = 1
    task_weight: Weight = 1
    distill_weight: Weight = 0
    loss_form: Literal["weighted", "eq6_literal"] = "weighted"
    features: Features | None = None
    triplets: Triplets | None = None
    tasks: Tasks | None = None

    @property
    def method(self) -> Literal["labels", "logits", "features", "triplets", "tasks"]:
        """What the student learns from."""
        if self.features:
            return "features"
        if self.triplets:
            return "triplets"
        if self.tasks:
            return "tasks"
        return "logits" if self.teacher else "labels"

    @property
    def evaluation(self) -> str:
        """The stage that evaluates it, as DVC calls it."""
        what = "student" if self.method in ("labels", "logits") else self.method
        return f"evaluate_{what}_connected" if self.connected else f"evaluate_{what}"

    @model_validator(mode="after")
    def one_method(self) -> Self:
        given = [key for key in ("features", "triplets", "tasks") if getattr(self, key)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: a line has one method")
        if self.features and self.teacher is None:
            raise ValueError("features without a teacher: name the one whose activations are learnt")
        if self.teacher and (self.triplets or self.tasks):
            raise ValueError(f"{given[0]} need no teacher: leave it out")
        if self.start and self.method not in ("labels", "triplets"):
            raise ValueError(f"start goes with learning from labels or triplets, not {self.method}: leave it out")
        if self.freeze and self.triplets:
            raise ValueError("triplets are about features, which freeze keeps as they are: say freeze: false")
        return self

    @model_validator(mode="after")
    def complete(self) -> Self:
        needed = ("temperature", "task_weight", "distill_weight", "loss_form")
        missing = [key for key in needed if key not in self.model_fields_set]
        if self.method == "logits" and missing:
            raise ValueError(f"a line with a teacher says {', '.join(needed)} in full (missing: {', '.join(missing)})")
        return self

    @model_validator(mode="after")
    def something_to_learn(self) -> Self:
        if self.method != "logits" and self.distill_weight:
            raise ValueError("distill_weight without a teacher of logits: name one, or leave the weight out")
        if self.method == "logits" and self.task_weight == 0 and self.distill_weight == 0:
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
