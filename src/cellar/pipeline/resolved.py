"""The resolved settings of every stage, as the stage `resolve` writes them."""

from pathlib import Path
from typing import Any

from cellar.config import Config
from cellar.config.resolved import RunSettings, TrainingSettings
from cellar.errors import CellarError
from cellar.pipeline import plan, runs
from cellar.pipeline.stage import Stage


def by_file(config: Config) -> dict[Path, dict[str, Any]]:
    """Resolved file -> the settings of its stage as plain data."""
    return {stage.resolved: settings_of(stage) for stage in plan.stages(config) if stage.has_settings}


def settings_of(stage: Stage) -> dict[str, Any]:
    """Plain data; what is None is left out. Raises CellarError for parameters that the stage's method does not take."""
    settings, study = stage.job.settings, stage.job.study
    if isinstance(settings, RunSettings):
        settings = with_defaults(settings, study)
    elif isinstance(student := getattr(settings, "student", None), RunSettings):  # whose files a stage reads
        settings = settings.model_copy(update={"student": with_defaults(student, study)})
    values: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return values


def with_defaults(settings: RunSettings, study: str) -> RunSettings:
    return settings.model_copy(update={"method": complete(settings, study)})


def complete(settings: RunSettings, study: str) -> dict[str, Any]:
    """The method's parameters, checked and completed by its own declaration."""
    from cellar.engine.setup import load_method
    from cellar.methods import registry

    try:
        method = registry.resolve(settings.method, study)
        if isinstance(settings, TrainingSettings):
            load_method(method, settings.method_file).check(settings)
    except CellarError as error:  # of an experiment: teachers are trained on labels, which takes no parameters
        key = f"studies.{study}.experiments.{settings.key.removeprefix(f'{study}/')}"
        raise runs.mistake(key, CellarError(str(error).removeprefix(f"{settings.key}: "))) from None
    return method
