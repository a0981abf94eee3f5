"""What stands behind a cell, as `cellar explain` tells it; dvc.lock and every record are read once for all cells.

The page asks `cellar explain` nowhere else.
"""

from dataclasses import dataclass
from typing import Any

from cellar.provenance import cell_provenance, explain, git, lineage, records, redo_commands
from cellar.tables.cells import Cell, Row, Table, cell_json


@dataclass(frozen=True)
class Chain:
    """stages: what `dvc repro` calls them, nearest first; kept: files that no stage made; redo: shell commands."""

    stages: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    redo: tuple[str, ...] = ()
    nothing: str = ""  # why there is nothing to redo
    printed: str = ""  # where the paper's figure stands


class Chains:
    """The chains of all cells that are asked for, and the stages that they name."""

    def __init__(self) -> None:
        self.graph = lineage.load()
        self.found: dict[tuple[str, ...], Chain] = {}
        self.stages = {stage.target: stage for stage in self.graph.stages}

    def of(self, table: Table, row: Row, cell: Cell) -> Chain:
        """Cells of one table that read the same files have one chain."""
        sources = [] if cell.kind in cell_provenance.NOT_COMPUTED else cell.metrics or []
        plain = cell_json(cell)
        printed = cell_provenance.printed_at(table.study, row.id, plain) or ""
        if not sources:
            return Chain(nothing=explain.nothing_to_redo({"cell": plain}), printed=printed)
        key = (table.id, row.id, printed, *sources)
        if key not in self.found:
            self.found[key] = Chain(
                tuple(stage.target for stage in self.graph.chain(sources)),
                tuple(path for path in sources if self.graph.maker(path) is None),
                tuple(redo_commands.commands(table.id, sources, self.graph)),
                printed=printed,
            )
        return self.found[key]

    def stages_shown(self) -> dict[str, dict[str, Any]]:
        """Every stage that some chain names, in the order of dvc.lock, as explain shows it, without host names."""
        named = {target for chain in self.found.values() for target in chain.stages}
        shown = {target: cell_provenance.stage_info(stage) for target, stage in self.stages.items() if target in named}
        for stage in shown.values():
            if stage["run"] and stage["run"]["machine"]:
                stage["run"]["machine"] = {k: v for k, v in stage["run"]["machine"].items() if k != "host"}
        return shown

    def origin(self) -> str:
        """Where the project can be cloned from."""
        return git.origin()

    def records(self) -> dict[str, dict[str, Any]]:
        """The record of every stage of the locks that has one here, by target."""
        found = {target: records.read(stage) for target, stage in self.stages.items()}
        return {target: record for target, record in found.items() if record}
