"""Run records against what they describe, and against the code that git keeps."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cellar import files
from cellar.errors import CellarError
from cellar.pipeline import records
from cellar.provenance import git, recorded_code
from cellar.provenance.lineage import Stage


def read(stage: Stage) -> dict[str, Any] | None:
    """The record of the run that made what the lock says; None if it is not here."""
    if not stage.record.exists():
        return None
    record: dict[str, Any] = files.read_json(stage.record)
    return record


def wrong(stages: Iterable[Stage]) -> Iterator[str]:
    """Records that were altered, and those of code that is in no commit. The place of a record proves the rest."""
    codes: dict[Path, tuple[str, str]] = {}
    for stage in stages:
        try:
            record = read(stage)
            if record is None:
                continue
            described = (record["command"], record["settings"], record["inputs"], record["outputs"])
            if records.place(stage.study, stage.name, records.digest(*described)) != stage.record:
                yield f"{stage.record}: was altered: its content is not what its name stands for; remove it, or restore it"
            codes[stage.record] = (record["code"], record.get("commit", ""))
        except (CellarError, KeyError, TypeError, AttributeError) as error:
            yield f"{stage.record}: is no record of a run ({' '.join(str(error).split())})"
    yield from uncommitted_code(codes)


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; what is not given, at whatever depth, is left out."""
    if isinstance(value, dict):
        return {
            k: v for key, inner in value.items() for k, v in leaves(inner, f"{name}.{key}" if name else key).items()
        }
    return {} if value is None else {name: value}


def uncommitted_code(codes: dict[Path, tuple[str, str]]) -> Iterator[str]:
    """Records of code that no commit has. Nothing is reported where git is not, or has not the whole history."""
    if git.git("rev-parse", "--is-shallow-repository") != "false":
        return
    unknown = recorded_code.unknown(codes.values())
    for record, (code, commit) in codes.items():
        if code in unknown:
            near = f"commit {commit[:7]} and changes" if commit else "no commit"
            yield f"{record}: made by code that is in no commit ({near}, sha256 {code}); commit it, or build it again"
