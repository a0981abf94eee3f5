"""`resolve`: params.yaml -> the resolved settings of every stage, one file a stage.

Every default is filled in and every derived value computed, so that DVC compares what a stage really depends on: a changed
default is seen, a spelled-out one is not. A stage reads nothing of params.yaml but its own settings.
"""

from collections.abc import Iterator
from pathlib import Path

from cellar import paths
from cellar.config import PARAMS_FILE, Config
from cellar.config.section import Section
from cellar.errors import CellarError
from cellar.pipeline.stage import Facts, Job, Stage, StageKind

CODE = (
    "src/cellar/config", "src/cellar/pipeline", "src/cellar/paths.py", "src/cellar/files.py", "src/cellar/studies.py",
    "src/cellar/tables", "src/cellar/figures", "src/cellar/methods/base.py", "src/cellar/methods/registry.py",
    "src/cellar/models/__init__.py", "src/cellar/deployment/export/settings.py",
)  # fmt: skip


class Settings(Section):
    """It reads params.yaml itself."""


def jobs(config: Config) -> Iterator[Job]:
    from cellar import studies

    code = (*studies.source_files(config), *methods_in_use(config))
    yield Job("", "", Settings(), reads=(str(PARAMS_FILE),), code=code)


def methods_in_use(config: Config) -> list[str]:
    """Their files, in which their parameters are declared."""
    from cellar.methods import registry
    from cellar.pipeline import runs

    found = {runs.method_file(params, key, line.method_name) for params, key, line, *_ in runs.experiments(config)}
    found.add(str(registry.file_of("labels")))  # of teachers
    return sorted({str(paths.in_project(path)) for file in found for path in registry.own_files(file)})


def run(settings: Settings) -> Facts:
    from cellar import config, files
    from cellar.pipeline import dvc_yaml, plan, resolved

    loaded = config.load()
    planned = plan.stages(loaded)
    for file in dvc_yaml.outdated(planned):  # by which stages would run with the dependencies of earlier parameters
        raise CellarError(f"{file} is out of date with params.yaml; rewrite it with: cellar plan")
    link_raw_files(planned)
    values = resolved.by_file(loaded)
    for path in paths.RESOLVED.rglob("*.json"):
        if path not in values:
            path.unlink()
    for path, settings_of_stage in values.items():
        files.write_json(path, settings_of_stage)
    return {}


def link_raw_files(planned: list[Stage]) -> None:
    """In the temporary checkout of an experiment, which has no file that git ignores: raw data and published weights are read
    where they lie."""
    if paths.EXPERIMENT_OF is None:
        return
    made = {path for stage in planned for path in stage.outputs}
    for path in {path for stage in planned for path in stage.inputs} - made:
        here, there = Path(path), paths.EXPERIMENT_OF / path
        if there.exists() and not here.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(there)


KIND = StageKind("resolve", jobs, Settings, run, CODE, outs=(f"{paths.RESOLVED}/",))
