"""`cellar STAGE NAME`: run one stage, as DVC does, and write the record of the run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from cellar import files, paths
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.paths import pipeline_file, stage_name
from cellar.pipeline import records
from cellar.pipeline.stage import StageKind


def run(kind: StageKind, job: str, study: str) -> None:
    """Run a stage with the settings that `resolve` wrote. Raises CellarError for one that dvc.yaml does not have."""
    check_own_code()
    definition = definition_of(stage_name(kind.name, job), study)
    paths.check_not_linked(paths.outputs_of(definition))
    settings = settings_of(paths.resolved(kind.name, job, study)) if "params" in definition else {}
    started = datetime.now(UTC)
    with files.unchanged(code_of(definition)):  # DVC and the record hash it after the run
        facts = kind.run(files.construct(kind.settings, settings))
    if facts is not None:
        records.write(study, stage_name(kind.name, job), definition, settings, started, facts)


def code_of(definition: dict[str, Any]) -> list[Path]:
    return [Path(path) for path in definition.get("deps", []) if path.startswith(("src/", "studies/"))]


def settings_of(path: Path) -> dict[str, Any]:
    """The settings of one stage as plain data, as `resolve` wrote them."""
    if not path.exists():
        raise CellarError(f"{path} does not exist; write it with: dvc repro resolve")
    settings: dict[str, Any] = files.read_json(path)
    return settings


def definition_of(stage: str, study: str) -> dict[str, Any]:
    """The stage's entry in one of the dvc.yaml files of its study."""
    main = pipeline_file(study)
    known = entries(main) | entries(pipeline_file(study, results=True)) | entries(pipeline_file(study, sweep=True))
    if stage not in known:
        of_studies = (file for file in paths.pipeline_files() if file.is_relative_to(paths.STUDIES))
        owners = [file.parts[1] for file in of_studies if stage in entries(file)]
        hint = f" ({owners[0]} has: add --study {owners[0]})" if owners else likely(stage, list(known))
        raise CellarError(f"{main} has no stage {stage}{hint}; correct the name, or write the file anew: cellar plan")
    return known[stage]


def entries(file: Path) -> dict[str, dict[str, Any]]:
    """The stages of a pipeline file, by name; none of one that is not there."""
    if not file.exists():
        return {}
    stages: dict[str, dict[str, Any]] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["stages"]
    return stages


def check_own_code() -> None:
    """A stage must run the code that dvc.yaml hashes: that of the folder it is started in. (`python -m cellar` sees to it in the
    temporary checkout of an experiment.)"""
    here, running = Path("src/cellar").resolve(), Path(__file__).parents[1].resolve()
    if here != running:
        raise CellarError(
            f"this would run the code in {running}, not in {here}; run `make setup` here and use its .venv"
        )
