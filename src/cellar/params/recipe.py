"""Recipes: how a model is trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.params.section import Count, Fraction, Positive, Section, Weight, exactly_one


class Plateau(Section):
    """× `factor` when the validation loss has not fallen for `patience` epochs (Mini-ResEmoteNet, sec. III.D)."""

    factor: Fraction
    patience: Annotated[int, Field(ge=0)]


class Step(Section):
    """× `factor` every so many epochs (the CIFAR-100 report's StepLR)."""

    every: Count
    factor: Fraction


class Milestones(Section):
    """× `factor` after each of `epochs` (RepDistiller's and SimKD's teachers)."""

    epochs: Annotated[list[Count], Field(min_length=1)]
    factor: Fraction


class Schedule(Section):
    """How the learning rate falls: exactly one way."""

    plateau: Plateau | None = None
    step: Step | None = None
    milestones: Milestones | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("plateau", "step", "milestones"))
        return self


class Recipe(Section):
    """How a model is trained (its silences in the papers: docs/readings.md).

    `train_on` may add the validation images to the training ones, as published for CIFAR-100, which has no such
    split; then nothing can be chosen on them: `select_on: last_epoch`. `early_stop`: epochs without a better one.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Weight
    schedule: Schedule
    early_stop: Count | None = None
    class_weighting: Literal["none", "balanced"]
    train_on: Literal["train", "train_and_validation"] = "train"
    select_on: Literal["validation_accuracy", "validation_loss", "last_epoch"]

    @model_validator(mode="after")
    def nothing_chosen_on_training_images(self) -> Self:
        uses = [self.select_on != "last_epoch", self.schedule.plateau is not None, self.early_stop is not None]
        if self.train_on == "train_and_validation" and any(uses):
            raise ValueError(
                "train_and_validation leaves no image to choose on: say select_on: last_epoch, a schedule of steps or milestones, no early_stop"
            )
        return self
