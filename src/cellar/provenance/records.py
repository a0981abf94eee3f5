"""The run.json beside every artefact against what it speaks of: bytes, dvc.lock, and the code that git keeps."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cellar import files
from cellar.errors import CellarError
from cellar.provenance import git, recorded_code
from cellar.provenance.artefacts import Digest
from cellar.provenance.lineage import Stage

# What a section of params.yaml is called in a record: recipes.student_a.epochs there is recipe.epochs here.
SECTIONS = {"recipes": "recipe", "experiments": "line", "teachers": "line", "generators": "line", "datasets": ""}
INPUT = ("input_size", "normalisation")  # a line's own, or else its data set's


def wrong(stages: Iterable[Stage], found: Mapping[str, Digest]) -> Iterator[str]:
    """What records say that is not so. `found`: the bytes that are here."""
    codes: dict[Path, tuple[str, str]] = {}
    for stage in stages:
        if stage.record is None or not stage.record.exists():
            continue
        try:
            said = files.read_json(stage.record)
            yield from wrong_bytes(stage.record, said, found)
            yield from wrong_settings(stage.record, said, stage)
            if "code" in said:
                codes[stage.record] = (said["code"], said.get("commit", ""))
        except (CellarError, KeyError, TypeError, AttributeError) as error:
            yield f"{stage.record}: is no record of a run ({' '.join(str(error).split())})"
    yield from uncommitted_code(codes)


def wrong_bytes(record: Path, said: dict[str, Any], found: Mapping[str, Digest]) -> Iterator[str]:
    for path, claimed in [*said["inputs"].items(), *said["outputs"].items()]:
        if path in found and found[path].sha256 != claimed:
            yield f"{record}: {path} has sha256 {found[path].sha256}, the record says {claimed}"


def wrong_settings(record: Path, said: dict[str, Any], stage: Stage) -> Iterator[str]:
    """Parameters, seed or command that are not those with which dvc.lock has the stage."""
    if "command" in said and said["command"] != stage.command:
        yield f"{record}: says it was made by {said['command']!r}, dvc.lock has {stage.command!r}"
    seed = re.search(r"--seed (\d+)", stage.command)
    if seed and "seed" in said and said["seed"] != int(seed[1]):
        yield f"{record}: says seed {said['seed']}, dvc.lock has {seed[1]} ({stage.target})"
    for key, ours, theirs in comparable(said.get("params", {}), stage):
        if ours != theirs:
            yield f"{record}: says {key} was {ours}, dvc.lock has {theirs} ({stage.target})"


def comparable(recorded: dict[str, Any], stage: Stage) -> Iterator[tuple[str, Any, Any]]:
    """(key in params.yaml, value in the record, value in the lock) for all that both have."""
    ours = leaves(recorded)
    for key, theirs in leaves(stage.params).items():
        name = name_in_record(key, stage.command)
        of_line = name in INPUT and f"line.{name}" in ours
        if name in ours and not of_line:
            yield key, ours[name], theirs


def name_in_record(key: str, command: str) -> str | None:
    """None for a line that is not the stage's own, as its teacher's is not."""
    section, _, rest = key.partition(".")
    owner, _, leaf = rest.partition(".")
    if section not in SECTIONS:
        return key
    verb, argument = [*command.removeprefix("python -m cellar ").split(), "", ""][:2]
    if SECTIONS[section] == "line" and (owner != argument or (section == "teachers") != verb.endswith("_teacher")):
        return None
    return ".".join(filter(None, [SECTIONS[section], leaf]))


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; what is not given, at whatever depth, is left out."""
    if isinstance(value, dict):
        return {
            k: v for key, inner in value.items() for k, v in leaves(inner, f"{name}.{key}" if name else key).items()
        }
    return {} if value is None else {name: value}


def uncommitted_code(codes: dict[Path, tuple[str, str]]) -> Iterator[str]:
    """Records of code that no commit has. Nothing is said where git is not, or has not the whole history."""
    if git.git("rev-parse", "--is-shallow-repository") != "false":
        return
    unknown = recorded_code.unknown(codes.values())
    for record, (code, commit) in codes.items():
        if code in unknown:
            near = f"commit {commit[:7]} and changes" if commit else "no commit"
            yield f"{record}: made by code that is in no commit ({near}, sha256 {code}); commit it, or build it again"
