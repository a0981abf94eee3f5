"""Run records: which command made which bytes, from what, with which software, where, when and in how long.

A record is no output of its stage, for two runs that make the same bytes differ in it. It is kept under a digest of the
stage's command, settings, inputs and outputs, the same that dvc.lock allows to compute: so it is shown for the bytes that
it describes, and for no others.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.engine.run_record import PACKAGES, code_hash, git, machine, peak_memory_gb
from cellar.pipeline import content

FOLDER = paths.RECORDS


def place(study: str, stage: str, digest: str) -> Path:
    return FOLDER / (study or "shared") / stage / f"{digest[:16]}.json"


def digest(command: str, settings: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """Of a stage as dvc.lock has it: `inputs` and `outputs` are path -> md5. Where a command breaks its lines is no matter."""
    described = {
        "command": " ".join(command.split()),
        "settings": settings,
        "inputs": dict(inputs),
        "outputs": dict(outputs),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def write(
    study: str, stage: str, definition: Mapping[str, Any], settings: Any, started: datetime, facts: Mapping[str, Any]
) -> Path:
    """Write the record of a run that has just ended. `definition`: the stage's entry in dvc.yaml; `facts`: what the run
    itself adds."""
    finished = datetime.now(UTC)
    inputs, outputs = (hashes(group) for group in (definition["deps"], paths.outputs_of(definition)))
    path = place(study, stage, digest(definition["cmd"], settings, inputs, outputs))
    files.write_json(
        path,
        {
            "stage": stage,
            "study": study,
            "command": definition["cmd"],
            "settings": settings,
            "inputs": inputs,
            "outputs": outputs,
            "code": code_hash(),
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--", "src", "studies")),
            "versions": {package: metadata.version(package) for package in PACKAGES},
            "python": platform.python_version(),
            "machine": machine(),
            **facts,
            "started": started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": round((finished - started).total_seconds(), 2),
            "peak_memory_gb": peak_memory_gb(),
        },
    )
    return path


def hashes(paths: Any) -> dict[str, str]:
    return {path: content.md5(Path(path)) for path in paths}
