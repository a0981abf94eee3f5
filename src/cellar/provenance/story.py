"""The facts about one table cell: itself, the stages behind it down to the raw bytes, the commands that redo it.

Read from a table's JSON, the locks and the records of runs; nothing is run, and torch is not needed.
"""

from hashlib import md5
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.provenance import lineage, records, redo_commands
from cellar.provenance.cell_names import find
from cellar.provenance.lineage import File, Lineage, Stage

RUN_KEYS = (
    "commit", "dirty", "code", "python", "versions", "machine", "device", "device_name", "threads", "seed",
    "started", "seconds", "peak_memory_gb", "resumed_from_epoch",
)  # fmt: skip
NOT_COMPUTED = ("reported", "not_run")
SMALL_DATASET_KD, ALL_STUDIES, PRETRAINING = "small_dataset_kd", "all_studies", "_features"  # as cellar.tables has them


def story(table: dict[str, Any], row: str, column: str) -> dict[str, Any]:
    """Everything there is to say of a cell. `stages`: nearest first. Names are ids or printed labels, in any case."""
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
        "paper_file": f"{paths.REFERENCE}, {place_in_paper(table, line['id'])}" if printed(cell) else None,
        "stages": [told(stage) for stage in chain],
        "brought": [brought(file, graph) for file in redo_commands.brought(chain, graph)],
        "without_stage": [path for path in sources if graph.maker(path) is None],
        "redo": commands,
        "redo_table": any("--single-item" in command for command in commands),
    }


def sources_of(cell: dict[str, Any]) -> list[str]:
    """The files of results that a cell's value was computed from; none for what was copied or not run."""
    return [] if cell["kind"] in NOT_COMPUTED else list(cell.get("metrics") or [])


def printed(cell: dict[str, Any]) -> bool:
    return cell.get("paper") is not None or (cell["kind"] == "reported" and cell["value"] is not None)


def place_in_paper(table: dict[str, Any], row: str) -> str:
    """The key in the file of printed values: table_vi is <study>.tables.table_VI, cifar100_table_2 is table_2.

    What is printed of a pre-training of the small-dataset study stands in its text, not in its tables.
    """
    if table["study"] == SMALL_DATASET_KD and PRETRAINING in row:
        return f"studies.{table['study']}.text_values"
    if table["study"] == ALL_STUDIES:
        return f"studies.{row}"
    study, (_, printed_table, number) = f"studies.{table['study']}", str(table["id"]).rpartition("table_")
    return f"{study}.tables.{printed_table}{number.upper()}" if printed_table else study


def told(stage: Stage) -> dict[str, Any]:
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


def brought(file: File, graph: Lineage) -> dict[str, Any]:
    """Raw data or published weights: what they are by hash, whether they are here, or how they can be had."""
    return {**listed(file), "here": Path(file.path).exists(), "download": redo_commands.download(file, graph)}


def run_facts(stage: Stage) -> dict[str, Any] | None:
    """What the record of the run holds; None if it is not here."""
    record = records.read(stage)
    return {key: record.get(key) for key in RUN_KEYS} if record else None
