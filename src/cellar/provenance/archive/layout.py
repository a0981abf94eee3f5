"""Layout of an archived run, `runs/<name>`, and how its files are read and written.

README.md       what was run, its results and what each stage cost
params.yaml     the parameters of the run
lock.json       per stage: command, parameters, path → md5 of inputs and outputs, as DVC recorded them
metrics.json    scalars, by the path of the metrics file that had them
histories.json  the text of each history.csv, by its path
cells.json      per table cell: the scalars of metrics.json that it is computed from
records.json    per stage: machine, versions, commit, times and peak memory
tables/         tables, byte-identical: <id>.json and <id>.md
figures/        figures, reduced to 256 colours
SHA256SUMS      digest of every other file; `sha256sum --check SHA256SUMS` reads it
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from cellar import files, paths
from cellar.errors import CellarError

README, PARAMS, LOCK, METRICS = "README.md", "params.yaml", "lock.json", "metrics.json"
HISTORIES, CELLS, RECORDS, SUMS = "histories.json", "cells.json", "records.json", "SHA256SUMS"
TABLES, FIGURES = "tables", "figures"
REQUIRED = (README, PARAMS, LOCK, METRICS, HISTORIES, CELLS, RECORDS)
DEPTHS = {LOCK: 4, METRICS: 1, HISTORIES: 1, CELLS: 2, RECORDS: 2}  # nested levels that get lines of their own
ENVIRONMENT = ("python", "versions", "machine", "code", "commit", "dirty", "device", "device_name", "threads")
IN_LOCK = (
    "stage",
    "study",
    "command",
    "settings",
    "params",
    "inputs",
    "outputs",
)  # of a record, what lock.json has already


class Form(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class Ran(Form):
    """A stage as it ran; paths with their md5."""

    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


class Lock(Form):
    """`commit`: that the run was archived at; None for runs from an earlier history of the project. `reduced`: path of
    each artefact of which the archive has a smaller version → md5 of that version."""

    commit: str | None
    stages: dict[str, Ran]
    reduced: dict[str, str]


class Records(Form):
    environments: list[dict[str, Any]]
    stages: dict[str, dict[str, Any]]


class Row(Form):
    id: str
    cells: dict[str, dict[str, Any]]


class Table(Form):
    rows: list[Row]


FORMS: dict[str, Any] = {
    LOCK: Lock, METRICS: dict[str, dict[str, Any]], HISTORIES: dict[str, str],
    CELLS: dict[str, dict[str, dict[str, str]]], RECORDS: Records,
}  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """An archived run. What reads a file raises CellarError if it is missing, no JSON or of another form than FORMS."""

    folder: Path

    def read(self, name: str) -> Any:
        path = self.folder / name
        restore = f"restore it with: git checkout -- {self.folder}"
        if not path.is_file():
            raise CellarError(f"{path}: missing; {restore}")
        try:
            return TypeAdapter(FORMS.get(name, Table)).validate_python(files.read_json(path))
        except CellarError:
            raise CellarError(f"{path}: not JSON; {restore}") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "all of it"
            raise CellarError(
                f"{path}: has another form than `cellar archive` writes ({where}: {first['msg']}); {restore}"
            ) from None

    @cached_property
    def lock(self) -> Lock:
        lock: Lock = self.read(LOCK)
        return lock

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Path → md5 of every file and folder that a stage made."""
        return {path: digest for stage in self.lock.stages.values() for path, digest in stage.outs.items()}

    @cached_property
    def metrics(self) -> dict[str, Any]:
        metrics: dict[str, Any] = self.read(METRICS)
        return metrics

    @cached_property
    def histories(self) -> dict[str, str]:
        histories: dict[str, str] = self.read(HISTORIES)
        return histories

    @cached_property
    def formulas(self) -> dict[str, dict[str, dict[str, str]]]:
        """Table id → row → column → formula (see cellar.provenance.archive.formulas)."""
        formulas: dict[str, dict[str, dict[str, str]]] = self.read(CELLS)
        return formulas

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Stage → its run record, without what lock.json has."""
        stored: Records = self.read(RECORDS)
        return {
            stage: stored.environments[record["environment"]] | without(record, ("environment",))
            for stage, record in stored.stages.items()
        }

    def tables(self) -> list[str]:
        """The ids of its tables."""
        folder = self.folder / TABLES
        return [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.json"))]

    def table(self, name: str) -> Table:
        table: Table = self.read(f"{TABLES}/{name}.json")
        return table

    def files(self) -> Iterator[str]:
        """Names, relative to its folder, of all files except the list of digests."""
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and name != SUMS:
                yield name


def archives() -> list[Archive]:
    """All archived runs; folders that are being written (.NAME.new) are none."""
    return [Archive(path) for path in sorted(paths.RUNS.glob("[!.]*")) if path.is_dir()]


def without(record: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def compact_records(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Records with each combination of machine, versions and commit stored once; host names are left out."""
    environments: list[dict[str, Any]] = []
    stages: dict[str, dict[str, Any]] = {}
    for stage, record in records.items():
        environment = {key: record[key] for key in ENVIRONMENT if key in record}
        if "machine" in environment:
            environment["machine"] = without(environment["machine"], ("host",))
        if environment not in environments:
            environments.append(environment)
        number = environments.index(environment)
        stages[stage] = {"environment": number, **without(record, (*ENVIRONMENT, *IN_LOCK))}
    return {"environments": environments, "stages": stages}


def write_json(folder: Path, name: str, value: Any) -> None:
    """Write one of the JSON files: one entry a line, down to the depth that suits the file."""
    files.write_text(folder / name, f"{json_text(value, DEPTHS[name])}\n")


def json_text(value: Any, depth: int, indent: str = "") -> str:
    """JSON whose mappings and lists are expanded, one entry a line, `depth` levels down."""
    if depth == 0 or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    if isinstance(value, dict):
        lines = [
            f"{json.dumps(key, ensure_ascii=False)}: {json_text(item, depth - 1, inner)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(inner + line for line in lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + json_text(item, depth - 1, inner) for item in value) + f"\n{indent}]"


def write_sums(folder: Path) -> None:
    """SHA256SUMS of every other file of the archive."""
    lines = [f"{file_sha256(folder / name)}  {name}" for name in Archive(folder).files()]
    files.write_text(folder / SUMS, "\n".join(lines) + "\n")


def file_sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def file_md5(path: Path) -> str:
    return bytes_md5(path.read_bytes())


def bytes_md5(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


def metrics_md5(metrics: Any) -> str:
    """md5 of a metrics file with this content, as cellar.files.write_json writes it."""
    return bytes_md5((json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode())
