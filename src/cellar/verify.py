"""Proof that tables, grades, predictions, weights and data are what they say: bytes are read, times never trusted.

A problem is one line that names a file and what is wrong with it. A file that is not here is counted, not judged.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

from cellar import explain, files, grades, lineage, params, paths, pipeline_files, provenance, tables
from cellar.errors import CellarError
from cellar.lineage import Lineage, Stage
from cellar.params import Params
from cellar.tables import cells, render

UNHASHED = ".snakemake_timestamp"  # as in .dvcignore: Snakemake's mark in a folder that is an output
SHOWN_KEYS = 3
RESULTS_OF_RUNS = tuple(f"results/metrics/{kind}/" for kind in ("teachers", "students"))


@dataclass
class Findings:
    """`absent` names files of dvc.lock that are not here; `checked` counts those whose bytes were read."""

    problems: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    checked: int = 0
    tables: int = 0


def report(table: str | None, complete: bool) -> int:
    """Print what was found. 0 when all is well, 1 for problems and, with `complete`, for absent files."""
    found = verify(table)
    for problem in found.problems:
        print(problem)
    if complete:
        for path in found.absent:
            print(f"{path}: not here")
    if found.absent:
        verb = "is" if len(found.absent) == 1 else "are"
        print(f"{count(len(found.absent), 'artefact')} {verb} not here: dvc pull, or build them")
    words = [count(found.tables, "table"), count(found.checked, "file"), count(len(found.problems), "problem")]
    print("verified: " + ", ".join(words))
    return int(bool(found.problems) or (complete and bool(found.absent)))


def verify(table: str | None) -> Findings:
    """Check one table's chain, or all tables in results/tables. Raises CellarError when there is none."""
    ids = [explain.built_table(table)["id"]] if table else sorted(path.stem for path in paths.TABLES.glob("*.json"))
    if not ids:
        raise CellarError(f"{paths.TABLES} has no table yet; build one with: make table_vi")
    graph, settings = lineage.load(), params.load()
    stages = graph.chain(str(paths.TABLES / f"{name}.{suffix}") for name in ids for suffix in ("json", "md"))
    found = Findings(tables=len(ids))
    found.absent = [path for path in named(stages) if not Path(path).exists()]
    found.checked = len(named(stages)) - len(found.absent)
    found.problems += unrecorded(ids, graph)
    found.problems += changed_bytes(stages)
    found.problems += broken_links(stages, graph)
    found.problems += wrong_metrics(stages)
    found.problems += wrong_records(stages)
    for name in ids:
        found.problems += wrong_table(name, settings)
    found.problems += [
        f"{path}: does not say what params.yaml says; write it anew with: cellar plan"
        for path in pipeline_files.outdated(settings)
    ]
    found.problems = list(dict.fromkeys(found.problems))
    return found


def named(stages: Iterable[Stage]) -> dict[str, dict[str, list[str]]]:
    """path -> md5 in the lock -> the stages that say so."""
    found: dict[str, dict[str, list[str]]] = {}
    for stage in stages:
        for file in (*stage.makes, *stage.reads):
            found.setdefault(file.path, {}).setdefault(file.md5, []).append(stage.target)
    return found


def unrecorded(ids: Iterable[str], graph: Lineage) -> Iterator[str]:
    for name in ids:
        path = paths.TABLES / f"{name}.json"
        if graph.maker(str(path)) is None:
            yield f"{path}: no stage of dvc.lock made it; build it with: snakemake --cores 4 {path.with_suffix('.md')}"


def changed_bytes(stages: list[Stage]) -> Iterator[str]:
    """Files whose bytes are not those that a stage read or made."""
    for path, claims in named(stages).items():
        if not Path(path).exists():
            continue
        actual = dvc_md5(Path(path))
        for claimed, sayers in claims.items():
            if claimed != actual:
                more = f" and {len(sayers) - 1} more" if len(sayers) > 1 else ""
                yield f"{path}: its md5 is {actual}, dvc.lock has {claimed} ({sayers[0]}{more})"


def dvc_md5(path: Path) -> str:
    """The md5 that DVC gives a file; for a folder that of its JSON list of files, ending in .dir."""
    if path.is_file():
        return files.hash_file(path, "md5")
    inside = (file for file in path.rglob("*") if file.is_file() and file.name != UNHASHED)
    listed = [{"md5": files.hash_file(file, "md5"), "relpath": file.relative_to(path).as_posix()} for file in inside]
    listed.sort(key=lambda entry: entry["relpath"])
    return md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def broken_links(stages: list[Stage], graph: Lineage) -> Iterator[str]:
    """Stages that read something else than the stage before them made, as dvc.lock itself has it."""
    for stage in stages:
        for file in stage.reads:
            made = graph.maker(file.path)
            if made and made[1].md5 != file.md5:
                yield f"{file.path}: {stage.target} read {file.md5}, {made[0].target} made {made[1].md5} ({stage.lock})"


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
    said, kept = files.read_json(Path(path)), files.read_arrays(predictions)
    given = grades.grade(kept, list(said.get("per_class", [])))
    flat_given, flat_said = flat(given), flat({key: said.get(key) for key in given})
    keys = [key for key in flat_given | flat_said if flat_given.get(key) != flat_said.get(key)]
    if keys:
        shown = [f"{key} is {flat_said.get(key)}, not {flat_given.get(key)}" for key in keys[:SHOWN_KEYS]]
        more = [f"and {len(keys) - SHOWN_KEYS} more"] if len(keys) > SHOWN_KEYS else []
        yield f"{path}: {predictions} gives other numbers: {'; '.join([*shown, *more])}"


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots."""
    if not isinstance(value, dict):
        return {name: value}
    return {k: v for key, inner in value.items() for k, v in flat(inner, f"{name}.{key}" if name else key).items()}


def wrong_records(stages: list[Stage]) -> Iterator[str]:
    """run.json records whose sha256 is not that of the bytes."""
    sha256: dict[str, str] = {}
    for record in (stage.record for stage in stages):
        if record is None or not record.exists():
            continue
        try:
            said = files.read_json(record)
            claims = [*said["inputs"].items(), *said["outputs"].items()]
        except (CellarError, KeyError, TypeError, AttributeError) as error:
            yield f"{record}: is no record of a run ({in_one_line(error)})"
            continue
        for path, claimed in claims:
            if Path(path).exists():
                # Not the cached function: what is proven is the bytes as they are now.
                actual = sha256.get(path) or provenance.content_hash.__wrapped__(Path(path))
                sha256[path] = actual
                if actual != claimed:
                    yield f"{record}: {path} has sha256 {actual}, the record says {claimed}"


def wrong_table(name: str, settings: Params) -> Iterator[str]:
    """A table whose Markdown is not its JSON, or whose JSON is not what its inputs give."""
    source, page = (paths.TABLES / f"{name}.{suffix}" for suffix in ("json", "md"))
    try:
        found = files.read_json(source)
        if page.exists() and page.read_bytes() != render.markdown(cells.from_json(found)).encode():
            yield f"{page}: does not say what {source} says"
        if all(Path(path).exists() for path in tables.inputs(name, settings)):
            built = json.loads(json.dumps(cells.as_json(tables.build(name, settings))))
            if built != found:
                yield f"{source}: {first_difference(built, found)}"
    except CellarError as error:
        yield in_one_line(error)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield f"{source}: cannot be compared with its inputs ({type(error).__name__}: {in_one_line(error)})"


def first_difference(built: dict[str, Any], found: dict[str, Any]) -> str:
    """Where a table is first not what its inputs give: a cell if it is one."""
    for ours, theirs in zip(built["rows"], found["rows"], strict=False):
        for column, cell in ours["cells"].items():
            other = theirs["cells"].get(column)
            if cell != other:
                kept = other.get("value") if other else None
                return (
                    f"cell {ours['id']}, {column} is not what its inputs give: {kept} here, {cell['value']} from them"
                )
    keys = [key for key in built | found if built.get(key) != found.get(key)]
    return f"{', '.join(keys)} not as its inputs and params.yaml give"


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
