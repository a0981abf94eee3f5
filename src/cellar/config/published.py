"""Weights that others published: where they are kept, how they are had, and what images they expect."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from cellar.config.data import Normalisation
from cellar.config.section import FilePath, OneOf

if TYPE_CHECKING:
    from cellar.config.lines import Line
    from cellar.config.params import Params


class Published(OneOf):
    """A file of weights that lines name by its `path`: from `url`, or had by hand as `manual` says.

    `sha256`: the digits that its publisher gives; PyTorch puts the first eight in a file's name, and checks no more.
    """

    ways: ClassVar = ("url", "manual")

    path: FilePath  # where the file is kept, as lines name it in `weights`
    url: str | None = None  # where `cellar download` gets it
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None  # the checksum, or its first digits
    manual: str | None = None  # how to get it by hand
    model: str | None = None  # the network that it holds
    normalisation: Normalisation | None = None  # that of the images that it learnt
    greyscale: bool = False  # whether they were turned grey

    @model_validator(mode="after")
    def url_with_checksum(self) -> Self:
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self


def fed_otherwise(params: "Params") -> Iterator[tuple[str, str]]:
    """(dotted key, what is wrong and what to do) of every line that feeds a published file otherwise than it learnt."""
    for key, line, file in lines_with_weights(params):
        fed = params.input_of(line)["normalisation"]
        for name, one in params.published.items():
            if one.path == file and one.normalisation not in (None, fed):
                yield (
                    f"{key}.normalisation",
                    f"{fed}, but {file}, published.{name}, learnt images of normalisation {one.normalisation}; "
                    "say that, or keep weights of your own under another path",
                )


def doubts(params: "Params") -> Iterator[tuple[str, str, str]]:
    """(dotted key, what is in doubt, what to do) where images may be others than those that weights learnt.

    A file of the same network elsewhere than `path` may be a copy of the published one or the user's own.
    """
    for key, line, file in lines_with_weights(params):
        fed, grey = params.input_of(line)["normalisation"], params.datasets[line.dataset].is_grey
        network = line.model.partition("+")[0]
        itself = {name: one for name, one in params.published.items() if one.path == file}
        alike = {name: one for name, one in params.published.items() if one.model == network}
        for name, one in (itself or alike).items():
            who = (
                f"{file} is published.{name}, which" if one.path == file else f"published.{name}, if {file} is a copy,"
            )
            if one.greyscale and not grey:
                yield key, f"{who} learnt grey images, not colour", f"set datasets.{line.dataset}.greyscale: true"
            if one.normalisation not in (None, fed):
                learnt = f"normalisation: {one.normalisation}"
                yield key, f"{who} learnt images of {learnt}, not {fed}", f"set {key}.{learnt}"


def lines_with_weights(params: "Params") -> Iterator[tuple[str, "Line", str]]:
    """(dotted key, line, file) of every line that is on and begins with a file of weights, or is one."""
    for section, lines in (("teachers", params.teachers), ("experiments", params.experiments)):
        for key, line in lines.items():
            file = getattr(line, "weights", None) or (line.start.weights if line.start else None)
            if file and params.is_on(line):
                yield params.place(section, key), line, file
