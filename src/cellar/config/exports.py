"""Exports: networks as files for use outside the pipeline (docs/using.md)."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from cellar.config.section import Count, Name, OneOf


def one_line(text: str) -> str:
    """Raises ValueError for what has no place in a table or in a file's metadata."""
    if not text.strip() or not text.isprintable():
        raise ValueError("a licence is one line of text, such as MIT: write it")
    return text


class Export(OneOf):
    """A student, or a teacher, as ONNX files with a model card: exactly one of an experiment and a teacher."""

    ways: ClassVar = ("experiment", "teacher")

    experiment: Name | None = None  # the experiment of this study whose student is exported
    teacher: Name | None = None  # or a teacher of it: a trained one, or one whose `weights` are a file
    seed: Annotated[int, Field(ge=0)] | None = None  # which of its seeds; the first unless it is given
    licence: Annotated[
        str, AfterValidator(one_line)
    ]  # under which the files may be used: the data's terms bind them too
    calibration_images: Count = 500  # validation images on which the ranges of int8's activations are measured

    @property
    def source(self) -> tuple[str, str]:
        """(section of params.yaml, name in it) of the network that is exported."""
        return ("experiments", self.experiment) if self.experiment else ("teachers", str(self.teacher))
