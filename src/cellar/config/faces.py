"""Faces without labels: where they come from, and the generator that draws them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cellar.config.section import Count, FilePath, Name, OneOf, Section, Seeds, Weight


class Generator(Section):
    """A small StyleGAN2 that is trained on a data set's training images, mirrored or not."""

    dataset: Name  # the data set whose training images it learns
    recipe: Name  # the study's recipe that it is trained by
    size: Literal[16, 32, 64, 128]  # side of its images in pixels
    latent: Count  # numbers in z and in w
    channel_base: Count  # a layer has channel_base / side channels
    channel_max: Count  # the most channels that a layer has
    r1_gamma: Weight  # weight of the gradient penalty R1
    half_life: Count  # half-life of the averaged weights, in images
    seeds: Seeds | None = None  # its own seeds, instead of the run's; the first is used


class Faces(OneOf):
    """`count` faces of seeds from `first_seed` on, by a generator of ours or a published StyleGAN2 file; or from a folder.

    The paper's: 102,400 of seeds 0 to 102,399, truncation 1 (small-dataset study, 6.4).
    """

    ways: ClassVar = ("generator", "weights", "folder")

    count: Count  # number of faces
    size: Annotated[int, Field(ge=8)]  # side at which they are kept, in pixels
    first_seed: Annotated[int, Field(ge=0)] = 0  # seed of the first face; each next face has the next number
    truncation: Annotated[float, Field(ge=0, le=1)] = 1  # 1: as varied as in training; 0: the average face
    generator: Name | None = None  # a generator of this study
    weights: FilePath | None = None  # a published StyleGAN2 file
    folder: FilePath | None = None  # a folder of images
