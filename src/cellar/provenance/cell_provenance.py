"""The facts about one table cell: itself, the stages behind it down to the raw bytes, the commands that make it again.

Read from a table's JSON, the locks and the records of runs; nothing is run, and torch is not needed.
"""

from hashlib import md5
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.provenance import lineage, records, redo_commands
from cellar.provenance.cell_names import find
from cellar.provenance.lineage import File, Lineage, Stage
from cellar.studies import ALL_STUDIES

RUN_KEYS = (
    "commit", "dirty", "code", "python", "versions", "machine", "device", "device_name", "threads", "seed",
    "started", "seconds", "peak_memory_gb", "resumed_from_epoch",
)  # fmt: skip
NOT_COMPUTED = ("reported", "not_run")


def cell_provenance(table: dict[str, Any], row: str, column: str) -> dict[str, Any]:
    """Everything known about a cell. `stages`: nearest first. Names are ids or printed labels, in any case."""
    line, head, cell = find(table, row, column)
    graph = lineage.load()
    sources = sources_of(cell)
    chain = graph.chain(sources)
    commands = redo_commands.commands(table["id"], sources, graph) if sources else []
    return {
        "table": {key: table[key] for key in ("id", "title", "study", "scale")},
        "row": {"id": line["id"], "label": line["label"]},
        "column": head,
        "cell": cell,
        "paper_file": printed_at(table["study"], line["id"], cell),
        "stages": [stage_info(stage) for stage in chain],
        "external_inputs": [external_input(file, graph) for file in redo_commands.external_inputs(chain, graph)],
        "without_stage": [path for path in sources if graph.maker(path) is None],
        "redo": commands,
        "redo_table": any("--single-item" in command for command in commands),
    }


def sources_of(cell: dict[str, Any]) -> list[str]:
    """The files of results that a cell's value was computed from; none for what was copied or not run."""
    return [] if cell["kind"] in NOT_COMPUTED else list(cell.get("metrics") or [])


def printed_at(study: str, row: str, cell: dict[str, Any]) -> str | None:
    """The file and key of the printed value that a cell shows; a row that is collected over the studies begins with
    its study's key. A difference of two printed values has no key of its own."""
    if cell.get("paper") is None and (cell["kind"] != "reported" or cell["value"] is None):
        return None
    file = paths.printed(row.partition(".")[0] if study == ALL_STUDIES else study)
    return f"{file}, {cell['printed_key']}" if cell.get("printed_key") else str(file)


def stage_info(stage: Stage) -> dict[str, Any]:
    """A stage as `explain` shows it. Code is one line: how many files and folders, and one hash of all their md5s."""
    lines = "\n".join(f"{file.path} {file.md5}" for file in stage.code)
    return {
        "stage": stage.target,
        "command": stage.command,
        "params": stage.params,
        "code": {"files": len(stage.code), "md5": md5(lines.encode(), usedforsecurity=False).hexdigest()},
        "reads": [listed(file) for file in stage.data],
        "makes": [listed(file) for file in stage.makes],
        "record": str(stage.record),
        "run": run_facts(stage),
    }


def listed(file: File) -> dict[str, str]:
    return {"path": file.path, "md5": file.md5}


def external_input(file: File, graph: Lineage) -> dict[str, Any]:
    """Raw data or published weights: what they are by hash, whether they are here, or how to get them."""
    return {**listed(file), "here": Path(file.path).exists(), "download": redo_commands.download(file, graph)}


def run_facts(stage: Stage) -> dict[str, Any] | None:
    """What the record of the run holds; None if it is not here."""
    record = records.read(stage)
    return {key: record.get(key) for key in RUN_KEYS} if record else None
