"""Weights that others published: where they are kept, and how they are had."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cellar.config.section import FilePath, Section, exactly_one


class Published(Section):
    """A file of weights that lines name by its `path`: from `url`, or had by hand as `manual` says.

    `sha256`: the digits that its publisher gives; PyTorch puts the first eight in a file's name, and checks no more.
    """

    path: FilePath
    url: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None
    manual: str | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("url", "manual"))
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self
