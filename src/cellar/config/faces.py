"""Faces without labels: where they come from, and the generator that draws them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.config.section import Count, FilePath, Name, Section, Seeds, Weight, exactly_one


class Generator(Section):
    """A small StyleGAN2 that is trained on a data set's training images, mirrored or not.

    `latent`: numbers in z and in w; channels at a side: channel_base / side, at most channel_max; `half_life` of the
    averaged weights, in images.
    """

    dataset: Name
    recipe: Name
    size: Literal[16, 32, 64, 128]  # side in pixels
    latent: Count
    channel_base: Count
    channel_max: Count
    r1_gamma: Weight
    half_life: Count
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
    weights: FilePath | None = None
    folder: FilePath | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("generator", "weights", "folder"))
        return self
