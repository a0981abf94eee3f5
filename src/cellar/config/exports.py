"""Exports: students as files for use outside the pipeline (docs/using.md)."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cellar.config.section import Count, Name, Section


class Export(Section):
    """A student, or a teacher, as ONNX files with a model card."""

    experiment: Name | None = None  # the experiment of this study whose student is exported
    teacher: Name | None = None  # or a teacher of it: a trained one, or one whose `weights` are a file
    seed: Annotated[int, Field(ge=0)] | None = None  # which of its seeds; the first unless it is given
    licence: Annotated[str, Field(min_length=1)]  # under which the files may be used: the data's terms bind them too
    calibration_images: Count = 500  # validation images on which the ranges of int8's activations are measured

    @model_validator(mode="after")
    def one_network(self) -> Self:
        if (self.experiment is None) == (self.teacher is None):
            raise ValueError("give experiment or teacher, one of them: the network that is exported")
        return self

    @property
    def source(self) -> tuple[str, str]:
        """(section of params.yaml, name in it) of the network that is exported."""
        return ("experiments", self.experiment) if self.experiment else ("teachers", str(self.teacher))
