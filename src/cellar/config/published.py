"""Weights that others published: where they are kept, and how they are had."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cellar.config.section import OneOf


class Published(OneOf):
    """A file of weights that lines name by its `path`: from `url`, or had by hand as `manual` says.

    `sha256`: the digits that its publisher gives; PyTorch puts the first eight in a file's name, and checks no more.
    """

    ways: ClassVar = ("url", "manual")

    path: str  # where the file is kept, as lines name it in `weights`
    url: str | None = None  # where `cellar download` gets it
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None  # the checksum, or its first digits
    manual: str | None = None  # how to get it by hand

    @model_validator(mode="after")
    def url_with_checksum(self) -> Self:
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self
