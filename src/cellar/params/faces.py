"""Faces without labels: where they come from, and the generator that draws them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.params.section import Count, Fraction, Name, Positive, Section, Seeds, Weight, exactly_one


class Generator(Section):
    """A small StyleGAN2 that is trained on a data set's training images: non-saturating loss, R1, EMA."""

    dataset: Name
    size: Literal[16, 32, 64, 128]  # side in pixels
    channels: Count  # at the highest resolution's base: channels at side s are channels / s, at most 512
    latent: Count  # numbers in z, and in w
    steps: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    r1_gamma: Weight
    ema: Fraction  # of the averaged weights, what is kept of them in a step
    seeds: Seeds | None = None


class Faces(Section):
    """`count` faces of seeds from `first_seed` on, by a generator of ours or a published StyleGAN2 file; or from a folder.

    The paper's: 102,400 of seeds 0 to 102,399, truncation 1 (small-dataset study, 6.4).
    """

    count: Count
    size: Annotated[int, Field(ge=8)]  # side at which they are kept
    first_seed: Annotated[int, Field(ge=0)] = 0
    truncation: Annotated[float, Field(ge=0, le=1)] = 1
    generator: Name | None = None
    weights: str | None = None
    folder: str | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("generator", "weights", "folder"))
        return self
