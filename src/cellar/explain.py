"""Where a table cell comes from, from its number to the raw bytes, and the commands that make it again.

Reads a table's JSON, dvc.lock and the run.json records; runs nothing. `story` has the content, `text` words it.
"""

import difflib
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import yaml

from cellar import files, lineage, paths
from cellar.errors import CellarError
from cellar.lineage import File, Lineage, Stage
from cellar.tables.pins_lines import PRETRAINING
from cellar.tables.reference import SMALL_DATASET_KD

RUN_KEYS = ("commit", "dirty", "python", "device", "device_name", "threads", "seed", "started", "seconds")
RUN_PACKAGES = ("torch", "numpy")
NOT_COMPUTED = ("reported", "not_run")


def report(table: str, row: str, column: str, as_json: bool = False) -> str:
    """The story of one cell, as text or JSON. Names are ids or printed labels, in any case.

    Raises CellarError for an unknown name, with the likely one and all known, and for a table that is not built.
    """
    found = story(built_table(table), row, column)
    return json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(text(found))


def story(table: dict[str, Any], row: str, column: str) -> dict[str, Any]:
    """Everything there is to say of a cell: itself, the stages behind it, the commands that redo it."""
    line = pick("row", row, table["rows"], table["id"])
    head = pick("column", column, table["columns"], table["id"])
    cell = line["cells"][head["id"]]
    graph = lineage.load()
    sources = [] if cell["kind"] in NOT_COMPUTED else cell.get("metrics", [])
    stages = [told(stage) for stage in graph.chain(sources)]
    return {
        "table": {key: table[key] for key in ("id", "title", "study", "scale")},
        "row": {"id": line["id"], "label": line["label"]},
        "column": head,
        "cell": cell,
        "paper_file": f"{paths.REFERENCE}, {place_in_paper(table, line['id'])}" if printed(cell) else None,
        "stages": stages,
        "without_stage": [path for path in sources if graph.maker(path) is None],
        "redo": redo(table["id"], sources, graph) if sources else [],
    }


def built_table(name: str) -> dict[str, Any]:
    """The JSON of a built table, by id or title. Raises CellarError when it is unknown or not built."""
    built = {path.stem: path for path in sorted(paths.TABLES.glob("*.json"))}
    known = [*built, *(table for table in planned() if table not in built)]
    match = [table for table in known if same(table, name)]
    if not match:
        raise CellarError(unknown("table", name, known, "the project"))
    if match[0] not in built:
        target = paths.TABLES / f"{match[0]}.md"
        raise CellarError(f"{match[0]} is not built yet; build it with: snakemake --cores 4 {target}")
    return read_table(built[match[0]])


def read_table(path: Path) -> dict[str, Any]:
    found = files.read_json(path)
    if not isinstance(found, dict) or not {"id", "title", "study", "scale", "rows", "columns"} <= found.keys():
        raise CellarError(f"{path} is not a table; build it again: snakemake --cores 4 --force {path}")
    return found


def planned() -> list[str]:
    """The tables that dvc.yaml knows how to build."""
    found = []
    for lock in paths.LOCKS:
        pipeline = lock.with_suffix(".yaml")
        if pipeline.exists():
            stages = yaml.load(pipeline.read_text(encoding="utf-8"), Loader=lineage.Loader).get("stages", {})
            found += [name.removeprefix("tabulate_") for name in stages if name.startswith("tabulate_")]
    return found


def pick(what: str, name: str, lines: list[dict[str, Any]], where: str) -> dict[str, Any]:
    """The row or column that `name` means: an id first, then a label, then either without its last (...)."""
    ways = [
        [line for line in lines if same(line["id"], name)],
        [line for line in lines if same(line["label"], name)],
        [line for line in lines if any(same(bare(line[key]), bare(name)) for key in ("id", "label"))],
    ]
    match = next((way for way in ways if way), [])
    if len(match) > 1:
        choices = ", ".join(line["id"] for line in match)
        raise CellarError(f"{where}: {name!r} could be several {what}s; say which: {choices}")
    if not match:
        raise CellarError(unknown(what, name, [line["id"] for line in lines], where))
    return match[0]


def same(one: str, other: str) -> bool:
    return plain(one) == plain(other)


def plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def bare(name: str) -> str:
    """Without a trailing (paper), (%) and the like."""
    return re.sub(r"\s*\([^()]*\)\s*$", "", name)


def unknown(what: str, name: str, known: list[str], where: str) -> str:
    folded = {plain(one): one for one in known}
    close = [folded[one] for one in difflib.get_close_matches(plain(name), folded, n=3)]
    hint = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
    return f"{where} has no {what} {name!r}{hint}; known: {', '.join(known) or 'none'}"


def printed(cell: dict[str, Any]) -> bool:
    return cell.get("paper") is not None or (cell["kind"] == "reported" and cell["value"] is not None)


def place_in_paper(table: dict[str, Any], row: str) -> str:
    """The key in the file of printed values: table_vi is <study>.tables.table_VI, cifar100_table_2 is table_2.

    What is printed of a pre-training of the small-dataset study stands in its text, not in its tables.
    """
    if table["study"] == SMALL_DATASET_KD and PRETRAINING in row:
        return f"studies.{table['study']}.text_values"
    study, (_, printed_table, number) = f"studies.{table['study']}", str(table["id"]).rpartition("table_")
    return f"{study}.tables.{printed_table}{number.upper()}" if printed_table else study


def told(stage: Stage) -> dict[str, Any]:
    """A stage as the story has it. Code is one line: how many files, and one hash of all their md5s."""
    lines = "\n".join(f"{file.path} {file.md5}" for file in sorted(stage.code, key=lambda file: file.path))
    return {
        "stage": stage.target,
        "command": stage.command,
        "params": stage.params,
        "code": {"files": len(stage.code), "md5": md5(lines.encode()).hexdigest()} if stage.code else None,
        "reads": [listed(file) for file in stage.data],
        "makes": [listed(file) for file in stage.makes],
        "run": run_facts(stage.record),
    }


def listed(file: File) -> dict[str, str]:
    return {"path": file.path, "md5": file.md5}


def run_facts(record: Path | None) -> dict[str, Any] | None:
    """What the record says of the run itself; None if it is not here."""
    if record is None or not record.exists():
        return None
    found = files.read_json(record)
    versions = {name: found.get("versions", {}).get(name) for name in RUN_PACKAGES}
    return {**{key: found.get(key) for key in RUN_KEYS}, "versions": versions, "machine": found.get("machine")}


def redo(table: str, sources: list[str], graph: Lineage) -> list[str]:
    """Commands for a shell anywhere, from a fresh clone of the present commit to the cell's own table.

    Only the cell's own stages are made again; the table's other cells stand on their metrics, which git keeps.
    """
    makers = list(dict.fromkeys(made[0].target for path in sources if (made := graph.maker(path))))
    tabulate = graph.maker(str(paths.TABLES / f"{table}.json"))
    last = tabulate[0].target if tabulate else f"tabulate_{table}"
    return [
        f"git clone {shlex.quote(origin())} redo",
        "cd redo",
        f"git checkout {git('rev-parse', 'HEAD') or 'HEAD'}",
        "make setup",
        ". .venv/bin/activate",
        *(f"dvc repro {shlex.quote(target)}" for target in makers),
        f"dvc repro --single-item {shlex.quote(last)}",
    ]


def origin() -> str:
    """Where the project can be cloned from, without a password that someone may have put into the address."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", git("config", "--get", "remote.origin.url")) or "."


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def text(found: dict[str, Any]) -> Iterator[str]:
    yield from cell_text(found)
    for stage in found["stages"]:
        yield ""
        yield from stage_text(stage)
    for path in found["without_stage"]:
        yield ""
        yield f"{path}: no stage of dvc.lock made it; it is kept in git, or was made outside the pipeline"
    yield ""
    if found["redo"]:
        yield "Redo this cell:"
        yield "  " + " && ".join(found["redo"])
    else:
        yield "Nothing to redo: " + nothing_to_redo(found)


def cell_text(found: dict[str, Any]) -> Iterator[str]:
    table, cell = found["table"], found["cell"]
    unit = cell.get("unit") or found["column"].get("unit") or ""
    yield f"{table['title']} | {found['row']['label']} | {found['column']['label']}"
    value = "not run" if cell["kind"] == "not_run" else "–" if cell["value"] is None else f"{cell['value']} {unit}"
    yield field("value", f"{value.strip()} ({cell['kind']})")
    if cell.get("interval"):
        yield field("interval", "[{}, {}], 95 %".format(*cell["interval"]))
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


def stage_text(stage: dict[str, Any]) -> Iterator[str]:
    yield stage["stage"]
    yield field("command", stage["command"])
    for key, value in stage["params"].items():
        yield field("param", f"{key}: {json.dumps(value)}")
    if stage["code"]:
        yield field("code", f"{stage['code']['files']} files of src  {stage['code']['md5']}")
    for word, key in (("reads", "reads"), ("made", "makes")):
        for file in stage[key]:
            yield field(word, f"{file['path']}  {file['md5']}")
    if stage["run"]:
        yield from run_text(stage["run"])


def run_text(run: dict[str, Any]) -> Iterator[str]:
    machine = run["machine"] or {}
    yield field("commit", f"{run['commit'] or 'none'}{' and changes in src not committed' if run['dirty'] else ''}")
    versions = [f"{name} {version}" for name, version in run["versions"].items() if version]
    yield field("with", ", ".join([f"python {run['python']}", *versions]))
    device = ["device " + str(run["device"])] if run["device"] else []
    device += [f"{key} {run[key]}" for key in ("threads", "seed") if run[key] is not None]
    host = [str(machine[key]) for key in ("host", "system") if key in machine]
    yield field("on", ", ".join([*host, *([str(run["device_name"])] if run["device_name"] else []), *device]))
    yield field("when", f"{run['started']}, {run['seconds']} s")


def nothing_to_redo(found: dict[str, Any]) -> str:
    cell = found["cell"]
    if cell["kind"] == "reported":
        return "the number is the paper's own, copied from the file named above"
    if cell["kind"] == "not_run":
        return "this cell was not run" + (f" ({cell['reason']})" if cell.get("reason") else "")
    return "no file of results stands behind this cell; its table is made from params.yaml alone"


def field(word: str, value: object) -> str:
    return f"  {word:<8} {value}"
