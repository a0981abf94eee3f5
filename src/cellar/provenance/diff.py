"""`cellar diff TABLE ROW COLUMN OLD NEW`: which inputs of a cell are others at one commit than at another.

Tables and locks are in git; records are kept by the bytes that they describe, so those of another commit are here if both
results were made here, or their records were pulled. Only inputs are named: what they made differs because they do.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellar.provenance import git, lineage, records, redo_commands
from cellar.provenance.cell_names import find, table_at
from cellar.provenance.cell_provenance import sources_of
from cellar.provenance.explain import field, value_text
from cellar.provenance.lineage import Lineage, Stage
from cellar.provenance.records import leaves

RUN_KEYS = ("python", "versions", "machine", "device", "device_name", "threads", "seed")

Change = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """A cell at a commit, and its stages, its table's last."""

    revision: str
    commit: str
    table: dict[str, Any]
    row: dict[str, Any]
    column: dict[str, Any]
    cell: dict[str, Any]
    graph: Lineage
    stages: dict[str, Stage]


def report(table: str, row: str, column: str, old: str, new: str, as_json: bool = False) -> str:
    """What differs, as text or JSON. Raises CellarError for an unknown revision, and a cell that one of them lacks."""
    sides = side(table, row, column, old), side(table, row, column, new)
    found = compare(*sides)
    return json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(text(found))


def side(table: str, row: str, column: str, revision: str) -> Side:
    commit = git.commit(revision)
    found = table_at(table, commit)
    line, head, cell = find(found, row, column, f"{found['id']} of commit {commit[:7]} ({revision})")
    graph = lineage.at(commit)
    last = redo_commands.table_stage(found["id"], graph)
    chain = [*graph.chain(sources_of(cell)), *([last] if last else [])]
    return Side(revision, commit, found, line, head, cell, graph, {stage.target: stage for stage in chain})


def compare(old: Side, new: Side) -> dict[str, Any]:
    """`stages`: those with inputs that differ, nearest the cell first; `without_effect`: those of them that made the same
    bytes; `unexplained`: bytes that differ without a reason; `unseen`: stages whose records could not be compared."""
    targets = list(dict.fromkeys([*new.stages, *old.stages]))
    changes = [change for target in targets if (change := of_stage(target, old, new))]
    listed = [change for change in changes if set(change) - {"stage", "unseen", "same_bytes"}]
    blamed = [change for change in listed if "same_bytes" not in change]
    return {
        "table": new.table["title"],
        "row": new.row["label"],
        "column": new.column["label"],
        "unit": new.cell.get("unit") or new.column.get("unit") or "",
        "cells": [{"revision": s.revision, "commit": s.commit, "cell": s.cell} for s in (old, new)],
        "stages": blamed,
        "without_effect": [change for change in listed if "same_bytes" in change],
        "unseen": [change["stage"] for change in changes if "unseen" in change],
        "unexplained": [] if blamed else other_outputs(old, new),
    }


def of_stage(target: str, old: Side, new: Side) -> Change | None:
    """The inputs of one stage that differ; None if none does."""
    before, after = old.stages.get(target), new.stages.get(target)
    if before is None or after is None:
        return {"stage": target, "only": (old if after is None else new).revision}
    found: Change = {}
    if before.command != after.command:
        found["command"] = [before.command, after.command]
    found["params"] = differing(leaves(before.params), leaves(after.params))
    found["code"] = differing_code(before, after, old.commit, new.commit)
    found["data"] = differing(raw(before, old.graph), raw(after, new.graph))
    found["run"], seen = of_run(before, after)
    found = {key: value for key, value in found.items() if value}
    if not seen:
        found["unseen"] = True
    if found and outputs(before) == outputs(after):
        found["same_bytes"] = True
    return {"stage": target, **found} if found else None


def outputs(stage: Stage) -> dict[str, str]:
    return {file.path: file.md5 for file in stage.makes}


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """key -> [old, new] where they differ; None is what is not there."""
    keys = dict.fromkeys([*before, *after])
    return {key: [before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)}


def raw(stage: Stage, graph: Lineage) -> dict[str, str]:
    """What a stage reads that no stage makes: raw data, published weights, the papers' values."""
    return {file.path: file.md5 for file in stage.data if graph.maker(file.path) is None}


def differing_code(before: Stage, after: Stage, old: str, new: str) -> dict[str, list[Any]]:
    """Source files that differ; of a folder, those in it that git has otherwise at the two commits."""
    changed = differing(*({file.path: file.md5 for file in stage.code} for stage in (before, after)))
    found: dict[str, list[Any]] = {}
    for path, md5s in changed.items():
        inside = {} if None in md5s else differing(*(git.blobs_at(commit, path) for commit in (old, new)))
        found |= inside or {path: md5s}
    return found


def of_run(before: Stage, after: Stage) -> tuple[dict[str, list[Any]], bool]:
    """Where the two records differ in machine, versions and seed, and whether both are here."""
    if before.record == after.record:
        return {}, True
    both = [records.read(stage) for stage in (before, after)]
    facts = [leaves({key: record.get(key) for key in RUN_KEYS}) for record in both if record]
    return (differing(*facts), True) if len(facts) == 2 else ({}, False)


def other_outputs(old: Side, new: Side) -> list[str]:
    """Outputs that differ though no input does, of the stage farthest from the cell."""
    for target, stage in reversed(old.stages.items()):
        if target in new.stages and (found := differing(outputs(stage), outputs(new.stages[target]))):
            return [f"{path} ({target})" for path in found]
    return []


def text(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['table']} | {found['row']} | {found['column']}"
    old, new = (side["cell"] for side in found["cells"])
    for side in found["cells"]:
        value = value_text(side["cell"], found["unit"])
        yield field(side["revision"], f"{value} ({side['cell']['kind']}), commit {side['commit'][:7]}")
    yield field("moved", moved(old["value"], new["value"], found["unit"]))
    for change in found["stages"]:
        yield ""
        yield from change_text(change)
    yield ""
    yield from rest_text(found)


def moved(old: Any, new: Any, unit: str) -> str:
    if old == new:
        return "no: the same number"
    numbers = all(isinstance(value, int | float) for value in (old, new))
    return f"by {new - old:+.6g} {unit}".strip() if numbers else f"{old} -> {new}"


def change_text(change: Change) -> Iterator[str]:
    yield change["stage"]
    if "only" in change:
        yield field("only", f"at {change['only']}")
    if "command" in change:
        yield field("command", arrow(change["command"]))
    for word, key in (("param", "params"), ("data", "data"), ("run", "run")):
        for name, values in change.get(key, {}).items():
            yield field(word, f"{name}: {arrow(values)}")
    for path, (before, after) in change.get("code", {}).items():
        how = "new" if before is None else "gone" if after is None else "changed"
        yield field("code", f"{path}: {how}")


def arrow(values: list[Any]) -> str:
    return " -> ".join("not there" if value is None else json.dumps(value, ensure_ascii=False) for value in values)


def rest_text(found: dict[str, Any]) -> Iterator[str]:
    for change in found["without_effect"]:
        counts = [f"{len(change[key])} {key}" for key in ("params", "code", "data", "run") if key in change]
        yield f"{change['stage']} differs too ({', '.join(counts) or 'command'}), but made the same bytes"
    if found["stages"]:
        yield "All other inputs are the same."
    elif found["unexplained"]:
        yield f"No input that is kept differs, yet these bytes do: {', '.join(found['unexplained'])}"
    else:
        yield "Nothing else differs." if found["without_effect"] else "No input differs."
    if found["unseen"]:
        yield (
            f"Machine, versions and seed were not compared for {len(found['unseen'])} of these stages, whose records are "
            f"not here for both commits ({', '.join(found['unseen'])})"
        )
