"""Recipes: how a model is trained."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cellar.config.section import Count, Fraction, OneOf, Positive, Section, Weight

Beta = Annotated[float, Field(ge=0, lt=1, strict=False)]


class Plateau(Section):
    """× `factor` when the validation loss has not fallen for `patience` epochs (Mini-ResEmoteNet, sec. III.D)."""

    factor: Fraction  # what the learning rate is multiplied by
    patience: Annotated[int, Field(ge=0)]  # epochs without a lower validation loss


class Step(Section):
    """× `factor` every so many epochs (the CIFAR-100 report's StepLR)."""

    every: Count  # epochs from one step to the next
    factor: Fraction  # what the learning rate is multiplied by


class Milestones(Section):
    """× `factor` after each of `epochs` (RepDistiller's and SimKD's teachers)."""

    epochs: Annotated[list[Count], Field(min_length=1)]  # epochs after which it falls
    factor: Fraction  # what the learning rate is multiplied by


class Schedule(OneOf):
    """How the learning rate falls: exactly one way."""

    ways: ClassVar = ("plateau", "step", "milestones", "inverse_sqrt")

    plateau: Plateau | None = None  # when the validation loss no longer falls
    step: Step | None = None  # at regular intervals
    milestones: Milestones | None = None  # after given epochs
    inverse_sqrt: Literal[True] | None = None  # / sqrt(1 + epochs done) (small-dataset study, 6.2)


class Recipe(Section):
    """How a model is trained (what the papers leave open: README.md of each study)."""

    epochs: Count  # passes over the training images, at most
    batch_size: Annotated[int, Field(ge=2)]  # images of one step; batch normalisation needs two
    processes: Count = 1  # how many share a batch, on GPUs one each (cellar.engine.distributed)
    optimizer: Literal["sgd", "adam"] = "sgd"  # the optimizer
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] | None = None  # Adam's; PyTorch's own if not given
    learning_rate: Positive  # in the first epoch; `schedule` lowers it
    momentum: Annotated[float, Field(ge=0, lt=1)]  # SGD's; 0 for Adam
    weight_decay: Weight  # the optimizer's L2 penalty
    schedule: Schedule  # how the learning rate falls
    early_stop: Count | None = None  # epochs without a better one after which the training ends
    class_weighting: Literal["none", "balanced"]  # balanced: rare classes count more in the cross-entropy, n / (K n_c)
    task_loss: Literal["ce", "bce"] = "ce"  # cross-entropy, or binary cross-entropy, a question for each class
    # train_and_validation: the validation images are trained on too, as published for CIFAR-100, which has no such
    # split; then nothing can be chosen on them: select_on: last_epoch
    train_on: Literal["train", "train_and_validation"] = "train"
    # which epoch's weights are kept: the best by this score on the validation images, or the last
    select_on: Literal["validation_accuracy", "validation_loss", "validation_r2", "last_epoch"]
    # splits that are scored in every epoch too, for the history; nothing is chosen by them. test shows what a choice on the
    # test images would have given, as the small-dataset study made it; train what a classifier guessed while it was
    # trained on them, which costs nothing
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
