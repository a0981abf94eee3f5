"""params.yaml, read strictly: every key known, every value in range, every name that is used declared.

A mistake is one CellarError line with the file and the key, and, for a misspelt key, the one that was likely meant.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cellar.config.data import Dataset, Source, SyntheticSpec
from cellar.config.exports import Export
from cellar.config.faces import Faces, Generator
from cellar.config.lines import Experiment, ExperimentTeacher, Line, Start, Sweep, Teacher
from cellar.config.params import (
    PARAMS_FILE,
    Costs,
    Evaluation,
    Params,
    ParamsFile,
    Scale,
    Settings,
    StudySections,
    TeacherCache,
    entry_of,
)
from cellar.config.published import Published
from cellar.config.recipe import Recipe, Schedule
from cellar.config.section import Name
from cellar.config.strict_yaml import read_yaml
from cellar.config.validation_errors import explain
from cellar.errors import CellarError

__all__ = [
    "PARAMS_FILE",
    "Config",
    "Costs",
    "Dataset",
    "Evaluation",
    "Experiment",
    "ExperimentTeacher",
    "Export",
    "Faces",
    "Generator",
    "Line",
    "Params",
    "Published",
    "Recipe",
    "Scale",
    "Schedule",
    "Source",
    "Start",
    "Sweep",
    "SyntheticSpec",
    "Teacher",
    "TeacherCache",
    "load",
    "validate",
]

SourceOf = Callable[[str], Path]  # dotted key -> the file that its value came from


class Config(Settings):
    """params.yaml: the settings of the run, the data sets that studies share, and one view for each study."""

    datasets: dict[Name, Dataset]
    studies: dict[Name, Params]

    def params(self, study: str) -> Params:
        """The view of one study. Raises CellarError when params.yaml has no such study."""
        return entry_of("studies", self.studies, study)

    def all_params(self) -> list[Params]:
        return list(self.studies.values())

    def dataset(self, name: str) -> Dataset:
        return entry_of("datasets", self.datasets, name)

    def declaring(self, section: str) -> dict[str, Params]:
        """Name -> the first study that declares it, for the sections that studies share by name: teachers, generators,
        faces, published. Two studies' declarations of a name are identical, so any of them would do."""
        studies: dict[str, Params] = {}
        for params in self.all_params():
            for name in getattr(params, section):
                studies.setdefault(name, params)
        return studies


def load(path: Path = PARAMS_FILE) -> Config:
    """Read and check a parameter file. Raises CellarError, one line, for the first thing that is wrong; it names the
    study's file where that file has it too, else `path`."""

    def source_of(key: str) -> Path:
        from cellar.config import composed  # which composes anew, and only where something is wrong

        return composed.at_fault(key, path)

    return validate(read_yaml(path), source_of)


def validate(raw: Any, source_of: SourceOf) -> Config:
    """The configuration that `raw`, the content of a parameter file, describes. Raises CellarError as `load` does."""
    from cellar.config import checks, renamed  # which are about what is defined here

    if not raw:
        raise CellarError(f"{source_of('')}: the file is empty; compose it: cellar use sample")
    renamed.check(raw, source_of)
    try:
        file = ParamsFile.model_validate(raw)
    except ValidationError as error:
        key, problem = explain(error, ParamsFile)
        raise CellarError(f"{source_of(key)}: {key or 'the file'}: {problem}") from None
    config = config_of(file)
    checks.check(config, source_of)
    return config


def config_of(file: ParamsFile) -> Config:
    shared = {name: getattr(file, name) for name in (*Settings.model_fields, "datasets")}
    studies = {
        study: Params(study=study, **shared, **{name: getattr(sections, name) for name in StudySections.model_fields})
        for study, sections in file.studies.items()
    }
    return Config(studies=studies, **shared)
