"""`cellar verify runs/NAME`: an archived run against itself, without the data, weights and predictions it came from.

Tables, metrics and histories are compared with the md5 that the reduced lock has for them, table cells with the metrics
they are computed from, and every file with the archive's list of digests. runs/README.md says what this cannot prove.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError
from cellar.provenance import git, lineage
from cellar.provenance.archive import formulas, layout
from cellar.provenance.archive.layout import LOCK, METRICS, PARAMS, SUMS, TABLES, Archive
from cellar.provenance.records import leaves

SHOWN = 3
COMPUTED = ("measured", "timed", "counted", "derived")  # kinds of cells that a run gives


@dataclass
class Result:
    """`problems` maps each archive file to what is wrong with it, `general` to a problem that is reported only if a file
    has no more specific one; `notes` are printed and are no failure. `altered`: archive files whose bytes are not those of
    SHA256SUMS; `changed`: paths of artefacts whose archived content has not the md5 of the lock."""

    problems: dict[str, list[str]] = field(default_factory=dict)
    general: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    altered: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    cells: int = 0
    recomputed: int = 0

    def add(self, name: str, line: str) -> None:
        self.problems.setdefault(name, []).append(line)

    def lines(self) -> list[str]:
        general = {name: [line] for name, line in self.general.items()}
        return [f"{name}: {line}" for name, lines in (general | self.problems).items() for line in lines]


def run(folder: Path) -> int:
    """Verify one archive, or all of them if `folder` is runs/; print the result. 0 if there is no problem, else 1."""
    chosen = layout.archives() if folder == paths.RUNS else [Archive(folder)]
    if not chosen:
        raise CellarError(
            f"no archived run is in {paths.RUNS}; run this in the project's root, or write one: cellar archive"
        )
    if not all(archive.folder.is_dir() for archive in chosen):
        known = ", ".join(archive.folder.name for archive in layout.archives())
        raise CellarError(f"{folder} is not an archived run; archived: {known or 'none'}")
    return max(map(report, chosen))


def report(archive: Archive) -> int:
    result = verify(archive)
    lines = result.lines()
    for line in lines:
        print(f"{archive.folder}/{line}")
    for note in result.notes:
        print(f"{archive.folder}: {note}")
    cells = f"{result.recomputed} of {result.cells} computed cells recomputed from {METRICS}"
    problems = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    print(f"verified {archive.folder}: {cells}, {problems}")
    return int(bool(lines))


def verify(archive: Archive) -> Result:
    """Check one archive. A file that cannot be read is a problem, and ends the checks that need it."""
    result = Result()
    checks = (
        (SUMS, check_files), (METRICS, check_artefacts), (LOCK, check_links), (METRICS, check_cells), (PARAMS, check_params),
        (layout.RECORDS, check_records), (LOCK, check_commit),
    )  # fmt: skip
    for name, check in checks:
        with reported(archive, result, name):
            check(archive, result)
    return result


@contextmanager
def reported(archive: Archive, result: Result, name: str) -> Iterator[None]:
    """What cannot be read within is a problem of its own file, or of `name` where the error names none."""
    try:
        yield
    except CellarError as error:
        file, _, words = " ".join(str(error).split()).removeprefix(f"{archive.folder}/").partition(": ")
        result.problems.setdefault(file, [words])
    except OSError as error:
        file = str(error.filename or name).removeprefix(f"{archive.folder}/")
        result.problems.setdefault(file, [f"cannot be read ({error.strerror}); mend that, then verify again"])
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        words = f"has another form than `cellar archive` writes ({type(error).__name__}: {error})"
        result.problems.setdefault(name, [words])


def check_files(archive: Archive, result: Result) -> None:
    """The bytes of each file against SHA256SUMS; missing and unlisted files are reported."""
    sums = archive.folder / SUMS
    present = set(archive.files())
    digests: dict[str, str] = {}
    with reported(archive, result, SUMS):
        lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
        digests = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted({*digests, *layout.REQUIRED, SUMS} - present - ({SUMS} if sums.is_file() else set())):
        result.add(name, f"missing; restore it with: git checkout -- {archive.folder}")
    for name in sorted(present - digests.keys()) if digests else ():
        result.add(name, f"not listed in {SUMS}; it is no file of this archive")
    for name in sorted(present & digests.keys()):
        with reported(archive, result, name):
            if layout.file_sha256(archive.folder / name) != digests[name]:
                result.altered.add(name)
                result.general[name] = f"changed since the run was archived: its sha256 is not that of {SUMS}"


def artefacts(archive: Archive) -> Iterator[tuple[str, str, str]]:
    """(archive file, path of the artefact in the project, md5 of the archived content)."""
    for kind in (TABLES, layout.FIGURES):
        for path in sorted((archive.folder / kind).rglob("*.*")):
            name = path.relative_to(archive.folder).as_posix()
            yield name, f"results/{name}", layout.file_md5(path)
    yield from ((METRICS, path, layout.metrics_md5(content)) for path, content in archive.metrics.items())
    yield from ((layout.HISTORIES, path, layout.bytes_md5(text.encode())) for path, text in archive.histories.items())


def check_artefacts(archive: Archive, result: Result) -> None:
    """Archived artefacts against the md5 that the lock has for them."""
    for name, path, digest in artefacts(archive):
        expected = archive.outputs.get(path)
        if name == METRICS or name.startswith(layout.FIGURES):  # all others are complete
            expected = archive.lock.reduced.get(path, expected)
        if path not in archive.outputs:
            result.add(name, f"{path} is an output of no stage of {LOCK}")
        elif digest != expected:
            result.changed.add(path)
            words = f"{LOCK} has md5 {expected} for {path}, {name} gives {digest}"
            if LOCK in result.altered and name not in result.altered:
                result.add(LOCK, words)
            elif name.startswith(TABLES):
                result.general[name] = words  # its cells are recomputed below
            else:
                result.add(name, words)


def check_links(archive: Archive, result: Result) -> None:
    """Stages that read other bytes than the lock's own stage made; one line a file."""
    readers: dict[str, list[str]] = {}
    for stage, ran in archive.lock.stages.items():
        for path, digest in ran.deps.items():
            if archive.outputs.get(path, digest) != digest and path not in result.changed:
                readers.setdefault(path, []).append(stage)
    for path, stages in readers.items():
        read = archive.lock.stages[stages[0]].deps[path]
        result.add(LOCK, f"{path} has md5 {archive.outputs[path]}, but {listed(stages)} read {read}")


def check_cells(archive: Archive, result: Result) -> None:
    """Recompute the cells that have a formula; those of changed metrics are left to the line about the metrics."""
    flat = {path: leaves(content) for path, content in archive.metrics.items()}
    for name in archive.tables():
        with reported(archive, result, f"{TABLES}/{name}.json"):
            check_table(name, archive, flat, result)


def check_table(name: str, archive: Archive, flat: Mapping[str, Any], result: Result) -> None:
    chosen = archive.formulas.get(name, {})
    for row in archive.table(name).rows:
        for column, cell in row.cells.items():
            result.cells += is_computed(cell)
            formula = chosen.get(row.id, {}).get(column)
            if formula and not result.changed.intersection(used := formulas.sources(cell, flat)):
                result.recomputed += 1
                for line in wrong_cell(formula, cell, [flat[source] for source in used]):
                    result.add(f"{TABLES}/{name}.json", f"cell {row.id}, {column}: {line}")


def is_computed(cell: Mapping[str, Any]) -> bool:
    return cell["kind"] in COMPUTED and cell["value"] is not None and bool(cell.get("metrics"))


def wrong_cell(formula: str, cell: Mapping[str, Any], metrics: formulas.Metrics) -> Iterator[str]:
    try:
        for key, (ours, recomputed) in formulas.mismatches(formula, cell, metrics).items():
            yield f"{key} is {ours}, {METRICS} gives {recomputed} ({formula})"
    except (KeyError, TypeError, ValueError) as error:
        yield f"cannot be recomputed as {formula} ({type(error).__name__}: {error})"


def check_params(archive: Archive, result: Result) -> None:
    """Parameters of stages against params.yaml of the archive, for the keys that both have."""
    try:
        text = (archive.folder / PARAMS).read_text(encoding="utf-8")
        run_params = leaves(yaml.load(text, Loader=lineage.Loader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        result.add(PARAMS, f"not YAML ({' '.join(str(error).split())})")
        return
    name = PARAMS if PARAMS in result.altered and LOCK not in result.altered else LOCK
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, ran in archive.lock.stages.items():
        for key, value in leaves(ran.params).items():
            if run_params.get(key, value) != value:
                stages.setdefault((key, str(value)), []).append(stage)
    for (key, text), different in stages.items():
        result.add(name, f"{listed(different)} ran with {key} = {text}, {PARAMS} has {run_params[key]}")


def check_records(archive: Archive, result: Result) -> None:
    for stage in archive.records.keys() - archive.lock.stages.keys():
        result.add(layout.RECORDS, f"{stage} is no stage of {LOCK}")
    missing = [stage for stage in archive.lock.stages if stage not in archive.records]
    if missing:
        result.notes.append(f"no record of {listed(missing)}")


def listed(stages: list[str]) -> str:
    more = f" and {len(stages) - SHOWN} more" if len(stages) > SHOWN else ""
    return ", ".join(stages[:SHOWN]) + more


def check_commit(archive: Archive, result: Result) -> None:
    """A run names a commit of the main branch, or none if it is from an earlier history."""
    if archive.lock.commit is None:
        result.notes.append("made in an earlier history of the project: its commits are not in this repository")
    elif git.git("rev-parse", "--is-shallow-repository") != "false":
        result.notes.append(f"commit {archive.lock.commit[:7]} not looked up: git has not the whole history here")
    elif not git.on_main(archive.lock.commit):
        result.add(LOCK, f"commit {archive.lock.commit} is not an ancestor of main")
