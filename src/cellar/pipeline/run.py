"""`cellar STAGE NAME`: run one stage, as DVC does, and write the record of the run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from cellar import files
from cellar.errors import CellarError
from cellar.paths import pipeline_file, stage_name
from cellar.pipeline import records, resolved
from cellar.pipeline.stage import StageKind


def run(kind: StageKind, job: str, study: str) -> None:
    """Run a stage with the settings that `resolve` wrote. Raises CellarError for one that dvc.yaml does not have."""
    check_own_code()
    definition = definition_of(stage_name(kind.name, job), study)
    settings = resolved.read(kind, job, study) if "params" in definition else {}
    started = datetime.now(UTC)
    facts = kind.run(files.construct(kind.settings, settings))
    if facts is not None:
        records.write(study, stage_name(kind.name, job), definition, settings, started, facts)


def definition_of(stage: str, study: str) -> dict[str, Any]:
    """The stage's entry in its dvc.yaml, or in that of its study's sweeps."""
    for file in [pipeline_file(study), *([pipeline_file(study, sweep=True)] if study else [])]:
        known = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["stages"] if file.exists() else {}
        if stage in known:
            definition: dict[str, Any] = known[stage]
            return definition
    raise CellarError(f"{pipeline_file(study)} has no stage {stage}; write it anew with: cellar plan")


def check_own_code() -> None:
    """A stage must run the code that dvc.yaml hashes: that of the folder it is started in."""
    here, running = Path("src/cellar").resolve(), Path(__file__).parents[1].resolve()
    if here != running:
        raise CellarError(
            f"this would run the code in {running}, not in {here}; run `make setup` here and use its .venv"
        )
