"""`cellar verify`: the files of results against dvc.lock, their inputs and params.yaml. It reads bytes, never file times.

A problem is one line that names a file and what is wrong with it. A missing file is counted, and is a problem only where another
file of the same stage, or one made from it, exists. `artefacts` compares bytes, `recomputed` values, `records` the records of runs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cellar import config, paths, tables
from cellar.errors import CellarError, count
from cellar.pipeline import dvc_yaml, line_ends, plan, resolved
from cellar.pipeline.stage import Stage as PlannedStage
from cellar.provenance import artefacts, cell_names, cell_provenance, lineage, recomputed, recorded_code, records
from cellar.provenance.lineage import Lineage, Stage
from cellar.provenance.records import leaves

SHOWN = 3
BUILD_AGAIN = "build again: snakemake --cores 4"


@dataclass
class Findings:
    """What verify found.

    `absent`: missing files of dvc.lock. `checked`: number of files whose bytes were read. `others`: tables in
    results/tables that params.yaml does not ask for, built from other parameters.
    """

    problems: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    checked: int = 0
    tables: int = 0
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scope:
    """What to verify: tables and the stages behind them; `cell` (row, column) limits it to one cell of the only table."""

    ids: list[str]
    cell: tuple[str, str] | None
    stages: list[Stage]


def report(table: str | None, complete: bool, row: str | None = None, column: str | None = None) -> int:
    """Print what was found. Returns 0 without problems; 1 with problems or, with `complete`, with missing files."""
    found = verify(table, row, column)
    for problem in found.problems:
        print(problem)
    if complete:
        for path in found.absent:
            print(f"{path}: missing")
    if found.absent:
        verb = "is" if len(found.absent) == 1 else "are"
        print(f"{count(len(found.absent), 'artefact')} {verb} missing: dvc pull or rebuild")
    if found.others:
        print(f"not verified, since params.yaml does not ask for them: {', '.join(found.others)}")
    what = count(found.tables, "table") if row is None else "1 cell"
    words = [what, count(found.checked, "file"), count(len(found.problems), "problem")]
    print("verified: " + ", ".join(words))
    return int(bool(found.problems) or (complete and bool(found.absent)))


def verify(table: str | None, row: str | None = None, column: str | None = None) -> Findings:
    """Verify one cell, one table, or everything that is built. Raises CellarError when nothing is."""
    line_ends.check()
    ids = [cell_names.built_table(table)["id"]] if table else built_tables()
    graph, settings = lineage.load(), config.load()
    others = [] if table else [name for name in ids if name not in tables.known(settings)]
    ids = [name for name in ids if name not in others]
    planned = plan.stages(settings)
    scope = (
        of_cell(ids[0], row, column, graph)
        if row and column
        else of_tables(ids, graph, planned if table is None else [])
    )
    locked = artefacts.locked(scope.stages)
    digests = artefacts.digests(locked)
    absent = [path for path in locked if path not in digests]
    found = Findings(absent=absent, checked=len(digests), tables=len(scope.ids), others=others)
    found.problems += unrecorded(scope.ids, graph)
    found.problems += artefacts.changed(locked, digests, graph)
    found.problems += artefacts.broken_links(scope.stages, graph)
    found.problems += gone(absent, scope, graph)
    found.problems += recomputed.wrong_metrics(scope.stages)
    found.problems += records.wrong(scope.stages)
    for name in scope.ids:
        found.problems += recomputed.wrong_table(name, settings, scope.cell)
    found.problems += [
        f"{path}: out of date with params.yaml; rewrite it with: cellar plan" for path in dvc_yaml.outdated(planned)
    ]
    found.problems += stale(scope.stages, planned)
    found.problems += recorded_code.uncommitted()
    found.problems = list(dict.fromkeys(found.problems))
    return found


def built_tables() -> list[str]:
    ids = list(paths.built(paths.TABLES, ".json"))
    if not ids:
        raise CellarError(f"{paths.TABLES} has no table yet; build them with: snakemake --cores 4")
    return ids


def of_tables(ids: list[str], graph: Lineage, planned: list[PlannedStage]) -> Scope:
    """`planned`: stages to verify even where no table shows their outputs, such as figures."""
    addresses = {stage.address for stage in planned if not stage.job.sweep}
    beside = [file.path for stage in graph.stages if stage.target in addresses for file in stage.makes]
    return Scope(ids, None, graph.chain([*table_files(ids), *beside]))


def of_cell(table: str, row: str, column: str, graph: Lineage) -> Scope:
    """The stages behind the cell, and the stage of its table."""
    line, head, cell = cell_names.find(cell_names.built_table(table), row, column)
    made = graph.maker(table_files([table])[0])
    chain = graph.chain(cell_provenance.sources_of(cell))
    return Scope([table], (line["id"], head["id"]), [*([made[0]] if made else []), *chain])


def table_files(ids: Iterable[str]) -> list[str]:
    return [str(paths.TABLES / f"{name}.{suffix}") for name in ids for suffix in ("json", "md")]


def unrecorded(ids: Iterable[str], graph: Lineage) -> Iterator[str]:
    for name in ids:
        path = paths.TABLES / f"{name}.json"
        if graph.maker(str(path)) is None:
            yield f"{path}: no stage of dvc.lock made it; build it with: snakemake --cores 4 {path.with_suffix('.md')}"


def gone(absent: list[str], scope: Scope, graph: Lineage) -> Iterator[str]:
    """Missing files of stages that have other files, with the rows of tables that depend on them."""
    lost = artefacts.lost(absent, scope.stages, graph)
    shown = rows_behind(scope.ids, graph) if lost else {}
    for path, heir in lost.items():
        made = graph.maker(path)
        rows = shown.get(made[0].target, []) if made else []
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        stand = f" ({'; '.join(rows[:SHOWN])}{more})" if rows else ""
        yield f"{path}: missing, though {heir} exists{stand}; dvc pull or rebuild"


def rows_behind(ids: Iterable[str], graph: Lineage) -> dict[str, list[str]]:
    """Stage -> the rows of tables that depend on it."""
    found: dict[str, list[str]] = {}
    for name in ids:
        for row in cell_names.built_table(name)["rows"]:
            sources = [path for cell in row["cells"].values() for path in cell_provenance.sources_of(cell)]
            for stage in graph.chain(sources):
                found.setdefault(stage.target, []).append(f"{name}, row {row['id']}")
    return found


def stale(stages: Iterable[Stage], planned: Iterable[PlannedStage]) -> Iterator[str]:
    """Stages that would run again: params.yaml, defaults or derivation rules give other settings now, or code has changed."""
    ran = list(stages)
    by_address = {stage.address: stage for stage in planned}
    others: dict[str, list[str]] = {}
    for stage in ran:
        for words in other_settings(stage, by_address[stage.target]) if stage.target in by_address else ():
            others.setdefault(words, []).append(stage.target)
    yield from (f"{and_more(targets)}: {words}; {BUILD_AGAIN}" for words, targets in others.items())
    users = code_of(ran)
    now = artefacts.digests(users)
    for path, locked in users.items():
        how = "has changed" if path in now else "is gone"
        for targets in (targets for md5, targets in locked.items() if now.get(path) != md5):
            yield f"{path}: the code {how} since {and_more(targets)} ran; {BUILD_AGAIN}"


def other_settings(stage: Stage, now: PlannedStage) -> Iterator[str]:
    ours, theirs = leaves(resolved.settings_of(now)), leaves(stage.params)
    for key in dict.fromkeys([*ours, *theirs]):
        if ours.get(key) != theirs.get(key):
            yield f"ran with {key} {theirs.get(key)}, which is {ours.get(key)} now"


def and_more(targets: list[str]) -> str:
    return targets[0] + (f" and {count(len(targets) - 1, 'more stage')}" if len(targets) > 1 else "")


def code_of(stages: Iterable[Stage]) -> artefacts.Locked:
    """Code -> md5 in a lock -> the stages that ran with it."""
    found: artefacts.Locked = {}
    for stage in stages:
        for file in stage.code:
            found.setdefault(file.path, {}).setdefault(file.md5, []).append(stage.target)
    return found
