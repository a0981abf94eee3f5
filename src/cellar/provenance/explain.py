"""`cellar explain TABLE ROW COLUMN`: where a cell comes from, in words or as JSON. `cellar.provenance.cell_provenance` collects the facts."""

import json
from collections.abc import Iterator
from typing import Any

from cellar.provenance import git
from cellar.provenance.cell_names import built_table
from cellar.provenance.cell_provenance import cell_provenance


def report(table: str, row: str, column: str, as_json: bool = False) -> str:
    """The origin of one cell, as text or JSON. Names are ids or printed labels, in any case.

    Raises CellarError for an unknown name, with the likely one and all known, and for a table that is not built.
    """
    found = cell_provenance(built_table(table), row, column)
    return json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(text(found))


def text(found: dict[str, Any]) -> Iterator[str]:
    yield from cell_text(found)
    for stage in found["stages"]:
        yield ""
        yield from stage_text(stage)
    for path in found["without_stage"]:
        yield ""
        yield f"{path}: no stage of dvc.lock made it; it is kept in git, or was made outside the pipeline"
    for file in found["external_inputs"]:
        yield ""
        yield from external_text(file)
    yield ""
    if found["redo"] and (why := git.nothing_to_clone()):
        yield f"To redo this cell from a clone: {why}"
    elif found["redo"]:
        yield "Redo this cell:" + (
            "" if found["redo_table"] else " (not its table: more than it stands on is not here)"
        )
        yield "  " + " && ".join(found["redo"])
    else:
        yield "Nothing to redo: " + nothing_to_redo(found)


def cell_text(found: dict[str, Any]) -> Iterator[str]:
    table, cell = found["table"], found["cell"]
    unit = cell.get("unit") or found["column"].get("unit") or ""
    yield f"{table['title']} | {found['row']['label']} | {found['column']['label']}"
    yield field("value", f"{value_text(cell, unit)} ({cell['kind']})")
    if cell.get("std") is not None:
        yield field("spread", f"mean {cell['mean']}, sd {cell['std']}, n {cell['n']}")
    if cell.get("interval"):
        method = f", {cell['method']}" if cell.get("method") else ""
        yield field("interval", "[{}, {}], 95 %".format(*cell["interval"]) + method)
    if cell.get("paper") is not None:
        variants = "".join(f" or {value}" for value in cell.get("paper_variants") or [])
        yield field("paper", f"{cell['paper']}{variants}")
    for key in ("verdict", "reason"):
        if cell.get(key):
            yield field(key, cell[key])
    if found["paper_file"]:
        yield field("printed", found["paper_file"])
    for path in cell.get("metrics") or []:
        yield field("from", path)


def value_text(cell: dict[str, Any], unit: str) -> str:
    if cell["kind"] == "not_run":
        return "not run"
    return "–" if cell["value"] is None else f"{cell['value']} {unit}".strip()


def stage_text(stage: dict[str, Any]) -> Iterator[str]:
    yield stage["stage"]
    yield field("command", stage["command"])
    for key, value in stage["params"].items():
        yield field("param", f"{key}: {json.dumps(value)}")
    if stage["code"]:
        yield field("code", f"{stage['code']['files']} files and folders  {stage['code']['md5']}")
    for word, key in (("reads", "reads"), ("made", "makes")):
        for file in stage[key]:
            yield field(word, f"{file['path']}  {file['md5']}")
    if stage["run"]:
        yield from run_text(stage["run"])
    else:
        yield field("record", "no record of the run that made these bytes is here; the bytes are proven all the same")


def run_text(run: dict[str, Any]) -> Iterator[str]:
    yield field("commit", f"{run['commit'] or 'none'}{' and changes not committed' if run['dirty'] else ''}")
    versions = [f"{name} {version}" for name, version in (run["versions"] or {}).items()]
    yield field("with", ", ".join([f"python {run['python']}", *versions]))
    yield field("on", ", ".join(machine_text(run)))
    went_on = f", the last part: it went on from epoch {run['resumed_from_epoch']}" if run["resumed_from_epoch"] else ""
    memory = f", {run['peak_memory_gb']} GB at most" if run["peak_memory_gb"] is not None else ""
    yield field("when", f"{run['started']}, {run['seconds']} s{memory}{went_on}")


def machine_text(run: dict[str, Any]) -> Iterator[str]:
    machine = run["machine"] or {}
    yield from (str(machine[key]) for key in ("host", "system") if key in machine)
    if "cores" in machine:
        yield f"{machine['cores']} cores, {machine.get('memory_gb')} GB"
    if run["device_name"]:
        yield str(run["device_name"])
    yield from (f"{key} {run[key]}" for key in ("device", "threads", "seed") if run[key] is not None)


def external_text(file: dict[str, Any]) -> Iterator[str]:
    yield f"{file['path']}: an external input, made by no stage"
    yield field("md5", file["md5"])
    if not file["here"] and file["download"] is None:
        yield field("bring", "put it there before the commands below: data/README.md says where to get it")


def nothing_to_redo(found: dict[str, Any]) -> str:
    cell = found["cell"]
    if cell["kind"] == "reported":
        return "the number is the paper's own, copied from the file named above"
    if cell["kind"] == "not_run":
        return "this cell was not run" + (f" ({cell['reason']})" if cell.get("reason") else "")
    return "no file of results stands behind this cell; its table is made from params.yaml alone"


def field(word: str, value: object) -> str:
    return f"  {word:<8} {value}"
