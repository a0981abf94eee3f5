"""Exports: students as files for use outside the pipeline (docs/using.md)."""

from typing import Annotated

from pydantic import Field

from cellar.config.section import Count, Name, Section


class Export(Section):
    """A student as ONNX files, with a model card."""

    experiment: Name  # the experiment of this study whose student is exported
    seed: Annotated[int, Field(ge=0)] | None = None  # which of its seeds; the first unless it is given
    licence: Annotated[str, Field(min_length=1)]  # under which the files may be used: the data's terms bind them too
    calibration_images: Count = 500  # validation images on which the ranges of int8's activations are measured
