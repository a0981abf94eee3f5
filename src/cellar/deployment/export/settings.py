"""Resolved settings of the stages that export a trained network, evaluate the files, and time them; `item` is study/export,
`student` the network, which may be a teacher."""

from cellar.config import Recipe
from cellar.config.resolved import EvaluationSettings
from cellar.config.section import Section


class ExportSettings(Section):
    """`grey`: whether the network learnt grey images; `synthetic`: whether its images were drawn here."""

    item: str
    student: EvaluationSettings
    licence: str
    grey: bool
    synthetic: bool
    calibration_images: int


class EvaluationOfExport(Section):
    """`recipe`, `teacher`, `synthetic`, `start` (what it began with) and `frozen` (whether only the last layer was trained):
    what the model card says of the training; `given`: the file that the weights come from, if they were not trained here."""

    item: str
    student: EvaluationSettings
    recipe: Recipe | None = None
    given: str | None = None
    synthetic: bool
    teacher: str | None = None
    start: str | None = None
    frozen: bool = False


class TimingOfExport(Section):
    item: str
    warmup: int
    repeats: int
