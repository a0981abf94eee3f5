"""The resolved settings of every stage, as the stage `resolve` writes them, and their way back to a stage."""

from pathlib import Path
from typing import Any

from cellar import files
from cellar.config import Config
from cellar.config.resolved import RunSettings, TrainingSettings
from cellar.errors import CellarError
from cellar.paths import stage_name
from cellar.pipeline import plan, runs
from cellar.pipeline.stage import Stage, StageKind, resolved_file


def by_file(config: Config) -> dict[Path, dict[str, Any]]:
    """Resolved file -> stage -> its settings as plain data; a file for every study, be it without stages."""
    values: dict[Path, dict[str, Any]] = {resolved_file(study): {} for study in ("", *config.studies)}
    for stage in plan.stages(config):
        if stage.has_settings:
            values[stage.resolved][stage.name] = settings_of(stage)
    return values


def settings_of(stage: Stage) -> dict[str, Any]:
    """Plain data; what is None is left out. Raises CellarError for parameters that the stage's method does not take."""
    settings = stage.job.settings
    if isinstance(settings, RunSettings):
        settings = settings.model_copy(update={"method": complete(settings, stage.job.study)})
    values: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
    return values


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


def read(kind: StageKind, job: str, study: str) -> dict[str, Any]:
    """The settings of one stage as plain data, as `resolve` wrote them."""
    path, name = resolved_file(study), stage_name(kind.name, job)
    known = files.read_json(path) if path.exists() else {}
    if name not in known:
        raise CellarError(f"{path} has no {name}; write it anew with: dvc repro resolve")
    settings: dict[str, Any] = known[name]
    return settings
