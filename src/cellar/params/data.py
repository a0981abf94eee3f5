"""Data sets: where raw files come from, in which layout, and how images become a model's input."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellar.params.section import Fraction, Section, exactly_one


class Draw(Section):
    """How many images to draw, per split; RAF-DB and CIFAR-100 have no validation split of their own."""

    seed: Annotated[int, Field(ge=0)]
    train: Annotated[int, Field(ge=70)]
    validation: Annotated[int, Field(ge=0)] = 0
    test: Annotated[int, Field(ge=70)]


class Source(Section):
    """Where raw files come from: exactly one of draw, url (with sha256), torchvision, kaggle, manual (what to do
    by hand)."""

    draw: Draw | None = None
    url: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    torchvision: Literal["CIFAR100"] | None = None
    kaggle: str | None = None
    manual: str | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("draw", "url", "torchvision", "kaggle", "manual"))
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self


class Dataset(Section):
    """`input_size` is the side, in pixels, that models see; `validation_fraction` and `split_seed` serve
    the layouts that come without a validation split; `checksums` serves CIFAR-100's pickles."""

    enabled: bool
    layout: Literal["fer2013", "raf_db", "cifar100", "image_folder"]
    path: str
    input_size: Annotated[int, Field(ge=8)]
    augmentation: Literal["flip", "crop_flip"]
    normalisation: Literal["imagenet", "cifar100"]
    source: Source
    validation_fraction: Fraction = 0.1
    split_seed: Annotated[int, Field(ge=0)] = 0
    checksums: Literal["official", "any"] = "official"
