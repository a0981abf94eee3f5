"""Recipes: how a model is trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.config.section import Count, Fraction, Positive, Section, Weight, exactly_one

Beta = Annotated[float, Field(ge=0, lt=1, strict=False)]


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
    inverse_sqrt: Literal[True] | None = None  # / sqrt(1 + epochs done) (small-dataset study, 6.2)

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("plateau", "step", "milestones", "inverse_sqrt"))
        return self


class Recipe(Section):
    """How a model is trained (what the papers leave open: README.md of each study).

    `train_on` may add the validation images to the training ones, as published for CIFAR-100, which has no such
    split; then nothing can be chosen on them: `select_on: last_epoch`. `early_stop`: epochs without a better one.
    `momentum` is SGD's, `betas` are Adam's (PyTorch's own if not given). `task_loss`: cross-entropy, or binary
    cross-entropy, a question for each class. `watch`: splits that are scored in every epoch too, for the history. Of
    `test` it shows what a choice on the test images would have given, as the small-dataset study made it; of `train`
    what a classifier guessed while it was trained on them, which costs nothing. Nothing is chosen by either. `processes`: how many share a batch, on GPUs one each (cellar.engine.distributed).
    """

    epochs: Count
    batch_size: Count
    processes: Count = 1
    optimizer: Literal["sgd", "adam"] = "sgd"
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] | None = None
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Weight
    schedule: Schedule
    early_stop: Count | None = None
    class_weighting: Literal["none", "balanced"]
    task_loss: Literal["ce", "bce"] = "ce"
    train_on: Literal["train", "train_and_validation"] = "train"
    select_on: Literal["validation_accuracy", "validation_loss", "validation_r2", "last_epoch"]
    watch: list[Literal["train", "test"]] = Field(default_factory=list)

    @model_validator(mode="after")
    def nothing_chosen_on_training_images(self) -> Self:
        uses = [self.select_on != "last_epoch", self.schedule.plateau is not None, self.early_stop is not None]
        if self.train_on == "train_and_validation" and any(uses):
            raise ValueError(
                "train_and_validation leaves no image to choose on: say select_on: last_epoch, a schedule other than plateau, no early_stop"
            )
        return self

    @model_validator(mode="after")
    def weights_of_cross_entropy(self) -> Self:
        if self.task_loss == "bce" and self.class_weighting != "none":
            raise ValueError("task_loss: bce knows no class weights: say class_weighting: none")
        return self

    @model_validator(mode="after")
    def momentum_of_sgd(self) -> Self:
        if self.optimizer == "adam" and self.momentum:
            raise ValueError("optimizer: adam has no momentum to set, it has betas: say momentum: 0")
        if self.optimizer == "sgd" and self.betas:
            raise ValueError("betas are Adam's: say optimizer: adam, or take them out")
        return self
