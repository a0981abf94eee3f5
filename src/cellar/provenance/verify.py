"""Proof that tables, grades, predictions, weights and data are what they say: bytes are read, times never trusted.

A problem is one line that names a file and what is wrong with it. A file that is not here is counted, not judged,
unless something made from it is here. `cellar.provenance.artefacts` has the bytes, `cellar.provenance.records` what was noted of them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellar import config, files, paths, tables
from cellar.config import Config
from cellar.errors import CellarError
from cellar.metrics import from_predictions, scalars
from cellar.pipeline import dvc_yaml, plan, resolved
from cellar.pipeline.stage import Stage as PlannedStage
from cellar.provenance import artefacts, cell_names, cell_provenance, lineage, recorded_code, records
from cellar.provenance.lineage import Lineage, Stage
from cellar.provenance.records import leaves
from cellar.tables import cells, render

SHOWN = 3
BUILD_AGAIN = "build again: snakemake --cores 4"
RESULTS_OF_RUNS = tuple(f"{paths.METRICS}/{kind}/" for kind in ("teachers", "students"))


@dataclass
class Findings:
    """`absent` names files of dvc.lock that are not here; `checked` counts those whose bytes were read; `others` are tables
    that lie here and are of lines that params.yaml has not, as on a branch that took another of params/."""

    problems: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    checked: int = 0
    tables: int = 0
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """What is to be proven: tables, of the only one perhaps a single cell (row, column), and their stages."""

    ids: list[str]
    cell: tuple[str, str] | None
    stages: list[Stage]


def report(table: str | None, complete: bool, row: str | None = None, column: str | None = None) -> int:
    """Print what was found. 0 when all is well, 1 for problems and, with `complete`, for absent files."""
    found = verify(table, row, column)
    for problem in found.problems:
        print(problem)
    if complete:
        for path in found.absent:
            print(f"{path}: not here")
    if found.absent:
        verb = "is" if len(found.absent) == 1 else "are"
        print(f"{count(len(found.absent), 'artefact')} {verb} not here: dvc pull or rebuild")
    if found.others:
        print(f"not looked at, for params.yaml has no line of theirs: {', '.join(found.others)}")
    what = count(found.tables, "table") if row is None else "1 cell"
    words = [what, count(found.checked, "file"), count(len(found.problems), "problem")]
    print("verified: " + ", ".join(words))
    return int(bool(found.problems) or (complete and bool(found.absent)))


def verify(table: str | None, row: str | None = None, column: str | None = None) -> Findings:
    """Check one cell's chain, one table's, or all that is built. Raises CellarError when there is none."""
    ids = [cell_names.built_table(table)["id"]] if table else built_tables()
    graph, settings = lineage.load(), config.load()
    others = [] if table else [name for name in ids if name not in tables.known(settings)]
    ids = [name for name in ids if name not in others]
    planned = plan.stages(settings)
    asked = (
        of_cell(ids[0], row, column, graph)
        if row and column
        else of_tables(ids, graph, planned if table is None else [])
    )
    claimed = artefacts.claims(asked.stages)
    digests = artefacts.digests(claimed)
    absent = [path for path in claimed if path not in digests]
    found = Findings(absent=absent, checked=len(digests), tables=len(asked.ids), others=others)
    found.problems += unrecorded(asked.ids, graph)
    found.problems += artefacts.changed(claimed, digests, graph)
    found.problems += artefacts.broken_links(asked.stages, graph)
    found.problems += gone(absent, asked, graph)
    found.problems += wrong_metrics(asked.stages)
    found.problems += records.wrong(asked.stages)
    for name in asked.ids:
        found.problems += wrong_table(name, settings, asked.cell)
    found.problems += [
        f"{path}: out of date with params.yaml; rewrite it with: cellar plan" for path in dvc_yaml.outdated(planned)
    ]
    found.problems += stale(asked.stages, planned)
    found.problems += recorded_code.uncommitted()
    found.problems = list(dict.fromkeys(found.problems))
    return found


def built_tables() -> list[str]:
    ids = list(paths.built(paths.TABLES, ".json"))
    if not ids:
        raise CellarError(f"{paths.TABLES} has no table yet; build them with: snakemake --cores 4")
    return ids


def of_tables(ids: list[str], graph: Lineage, planned: list[PlannedStage]) -> Asked:
    """`planned`: stages to check although no table may show their outputs, figures for example."""
    addresses = {stage.address for stage in planned if not stage.job.sweep}
    beside = [file.path for stage in graph.stages if stage.target in addresses for file in stage.makes]
    return Asked(ids, None, graph.chain([*table_files(ids), *beside]))


def of_cell(table: str, row: str, column: str, graph: Lineage) -> Asked:
    """The cell's chain, and the stage of its table without what the table's other cells stand on."""
    line, head, cell = cell_names.find(cell_names.built_table(table), row, column)
    made = graph.maker(table_files([table])[0])
    chain = graph.chain(cell_provenance.sources_of(cell))
    return Asked([table], (line["id"], head["id"]), [*([made[0]] if made else []), *chain])


def table_files(ids: Iterable[str]) -> list[str]:
    return [str(paths.TABLES / f"{name}.{suffix}") for name in ids for suffix in ("json", "md")]


def unrecorded(ids: Iterable[str], graph: Lineage) -> Iterator[str]:
    for name in ids:
        path = paths.TABLES / f"{name}.json"
        if graph.maker(str(path)) is None:
            yield f"{path}: no stage of dvc.lock made it; build it with: snakemake --cores 4 {path.with_suffix('.md')}"


def gone(absent: list[str], asked: Asked, graph: Lineage) -> Iterator[str]:
    """Absent files of a number that is shown, while what was made from them is here."""
    lost = artefacts.lost(absent, asked.stages, graph)
    shown = rows_behind(asked.ids, graph) if lost else {}
    for path, heir in lost.items():
        made = graph.maker(path)
        rows = shown.get(made[0].target, []) if made else []
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        stand = f" ({'; '.join(rows[:SHOWN])}{more})" if rows else ""
        yield f"{path}: gone, though {heir} is here{stand}; dvc pull or rebuild"


def rows_behind(ids: Iterable[str], graph: Lineage) -> dict[str, list[str]]:
    """Stage -> the rows of tables that stand on it."""
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
    for path, claimed in users.items():
        how = "has changed" if path in now else "is gone"
        for targets in (targets for md5, targets in claimed.items() if now.get(path) != md5):
            yield f"{path}: the code {how} since {and_more(targets)} ran; {BUILD_AGAIN}"


def other_settings(stage: Stage, now: PlannedStage) -> Iterator[str]:
    ours, theirs = leaves(resolved.settings_of(now)), leaves(stage.params)
    for key in dict.fromkeys([*ours, *theirs]):
        if ours.get(key) != theirs.get(key):
            yield f"ran with {key} {theirs.get(key)}, which is {ours.get(key)} now"


def and_more(targets: list[str]) -> str:
    return targets[0] + (f" and {count(len(targets) - 1, 'more stage')}" if len(targets) > 1 else "")


def code_of(stages: Iterable[Stage]) -> artefacts.Claims:
    """Code -> md5 in a lock -> the stages that ran with it."""
    found: artefacts.Claims = {}
    for stage in stages:
        for file in stage.code:
            found.setdefault(file.path, {}).setdefault(file.md5, []).append(stage.target)
    return found


def wrong_metrics(stages: list[Stage]) -> Iterator[str]:
    """Metrics that the kept predictions do not give."""
    for path in sorted({file.path for stage in stages for file in stage.makes}):
        predictions = Path(path.replace("metrics", "predictions", 1)).with_suffix("") / "predictions.npz"
        if path.startswith(RESULTS_OF_RUNS) and Path(path).exists() and predictions.exists():
            try:
                yield from wrong_metric(path, predictions)
            except CellarError as error:
                yield in_one_line(error)
            except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
                yield f"{path}: cannot be compared with {predictions} ({type(error).__name__}: {in_one_line(error)})"


def wrong_metric(path: str, predictions: Path) -> Iterator[str]:
    details, confusion = files.read_json(predictions.with_name("details.json")), predictions.with_name("confusion.csv")
    said = scalars.merge(files.read_json(Path(path)), details)
    kind, arrays, classes = details["kind"], files.read_arrays(predictions), list(said.get("per_class", []))
    given = from_predictions.compute(kind, arrays, classes)
    ours, theirs = flat(given), flat({key: said.get(key) for key in given})
    keys = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    if keys:
        shown = [f"{key} is {theirs.get(key)}, not {ours.get(key)}" for key in keys[:SHOWN]]
        more = [f"and {len(keys) - SHOWN} more"] if len(keys) > SHOWN else []
        yield f"{path}: {predictions} gives other numbers: {'; '.join([*shown, *more])}"
    if confusion.exists() and confusion.read_text(encoding="utf-8") != from_predictions.confusion_csv(arrays, classes):
        yield f"{confusion}: {predictions} gives other classes"


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    if not isinstance(value, dict):
        return {name: value}
    return {k: v for key, inner in value.items() for k, v in flat(inner, f"{name}.{key}" if name else key).items()}


def wrong_table(name: str, settings: Config, cell: tuple[str, str] | None = None) -> Iterator[str]:
    """A table whose Markdown is not its JSON, or whose JSON is not what its inputs give; of one cell, if asked."""
    source, page = (paths.TABLES / f"{name}.{suffix}" for suffix in ("json", "md"))
    try:
        found = files.read_json(source)
        if page.exists() and page.read_bytes() != render.markdown(cells.from_json(found)).encode():
            yield f"{page}: does not say what {source} says"
        if all(Path(path).exists() for path in tables.find(name, settings).inputs()):
            built = json.loads(json.dumps(cells.as_json(tables.build(name, settings))))
            yield from (f"{source}: {words}" for words in differences(built, found, cell))
    except CellarError as error:
        yield in_one_line(error)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield f"{source}: cannot be compared with its inputs ({type(error).__name__}: {in_one_line(error)})"


def differences(built: dict[str, Any], found: dict[str, Any], cell: tuple[str, str] | None) -> Iterator[str]:
    """Where a table is not what its inputs give: the cells, or, where no cell differs, what else does."""
    if built == found:
        return
    ours, theirs = cells_of(built), cells_of(found)
    wrong = [place for place in ours | theirs if ours.get(place) != theirs.get(place) and cell in (None, place)]
    for row, column in wrong:
        kept, given = (side.get((row, column), {}).get("value") for side in (theirs, ours))
        yield f"cell {row}, {column} is not what its inputs give: {kept} here, {given} from them"
    keys = [key for key in built | found if built.get(key) != found.get(key)]
    if keys and not wrong and cell is None:
        yield f"{', '.join(keys)} not as its inputs and params.yaml give"


def cells_of(table: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(row["id"], column): cell for row in table["rows"] for column, cell in row["cells"].items()}


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
