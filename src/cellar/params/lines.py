"""Lines: teachers, experiments, and the grids of experiments that a sweep stands for."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.params.section import Name, Positive, Section, Seeds, Weight


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
