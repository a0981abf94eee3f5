"""`cellar archive`: a run on real data, written to runs/<name> in the form of cellar.provenance.archive.layout.

Tables are copied, metrics reduced to scalars, lock and records to what a reader needs; nothing is typed by hand.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from PIL import Image

from cellar import config as configuration
from cellar import files, paths
from cellar.config import Config, composed
from cellar.errors import CellarError
from cellar.provenance import cell_names, git, lineage, records, verify
from cellar.provenance.archive import formulas, layout
from cellar.provenance.archive.layout import CELLS, HISTORIES, LOCK, METRICS, PARAMS, RECORDS
from cellar.provenance.lineage import Stage
from cellar.provenance.records import leaves
from cellar.report import archive_page

REPEATING = "verdicts"  # its cells are those of other tables; the page has its counts
WHOLE = 8_000  # bytes: metrics files up to this size are archived whole
MOST_ENTRIES = 16  # in larger ones, lists and mappings with more entries (per class, per image) are left out
COLOURS = 256
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
FROZEN = ("src", "studies")  # must be as committed
NOT_GENERATED = (":(exclude,glob)**/dvc.yaml", ":(exclude,glob)**/dvc.lock")  # which `cellar use` and runs write there


@dataclass(frozen=True)
class Source:
    """A run to be archived: the folder that its files are relative to, and what of it."""

    root: Path
    name: str
    note: str
    commit: str | None  # None: of an earlier history
    tables: list[str]  # ids
    figures: list[str]
    stages: list[Stage]  # behind them, in the order in which they ran
    records: dict[str, dict[str, Any]]  # by stage


def archive(name: str | None = None) -> tuple[Path, list[str]]:
    """Write runs/<name> anew; <name> is the scale's if none is given. Return the folder and the ids of built tables
    that were left out because files behind their cells are missing.

    Raises CellarError for synthetic data, for a run that does not verify, for uncommitted code and off the main branch.
    """
    config = configuration.load()
    name = name or config.scale.name
    if not NAME.fullmatch(name):
        raise CellarError(f"{name!r} cannot name a folder of {paths.RUNS}; use letters, digits, _ and -")
    if config.scale.synthetic:
        raise CellarError(
            f"{configuration.PARAMS_FILE}: scale.synthetic is true; {paths.RUNS} has runs on real data only"
        )
    commit = committed()
    problems = verify.verify(None).problems
    if problems:
        raise CellarError(f"this run does not verify ({problems[0]}); see: cellar verify")
    tables, incomplete = complete_tables(config)
    if not tables:
        raise CellarError(f"no table of {paths.TABLES} has its runs here; build one with: snakemake --cores 4")
    figures = complete_figures(config)
    shown = [*(str(paths.TABLES / f"{table}.md") for table in tables), *(figure_path(figure) for figure in figures)]
    stages = list(reversed(lineage.load().chain(shown)))
    source = Source(Path(), name, config.scale.note, commit, tables, figures, stages, records_of(stages))
    return write(source, paths.RUNS / name), incomplete


def committed() -> str:
    """HEAD. Raises CellarError if it is not on main or the code differs from it."""
    head = git.git("rev-parse", "HEAD")
    if not git.on_main(head):
        at = f"commit {head[:7]}" if head else "a folder without git"
        raise CellarError(f"{at} is not on main; an archived run names a commit of main: merge it first")
    changed = git.git("status", "--porcelain", "--", *FROZEN, *NOT_GENERATED).splitlines()
    if changed:
        raise CellarError(f"{changed[0].split()[-1]} is not as committed; commit {' and '.join(FROZEN)} first")
    return head


def complete_tables(config: Config) -> tuple[list[str], list[str]]:
    """Ids of the built tables that have numbers of this run: those whose metrics are all here, and the others."""
    from cellar import tables

    known = [name for name in verify.built_tables() if name in tables.known(config) and name != REPEATING]
    used = {name: metrics_of(paths.TABLES / f"{name}.json") for name in known}
    of_data = {name: read for name, read in used.items() if read - counted() - printed_values()}
    made = lineage.load().made
    complete = [name for name, read in of_data.items() if all(is_available(path, made) for path in read)]
    return complete, [name for name in of_data if name not in complete]


def metrics_of(table: Path) -> set[str]:
    cells = [cell for row in cell_names.read_table(table)["rows"] for cell in row["cells"].values()]
    return {path for cell in cells for path in cell.get("metrics", [])}


def is_available(path: str, made: Mapping[str, Any]) -> bool:
    """Whether a stage made the file and, if scalars are archived of it, it is here."""
    return path in printed_values() or (path in made and (Path(path).suffix != ".json" or Path(path).is_file()))


def counted() -> set[str]:
    """The files of counted networks, which are the same in every run."""
    return {str(path) for path in (paths.METRICS / "models").glob("*.json")}


def printed_values() -> set[str]:
    """The files of the papers' printed values."""
    return {str(path) for path in paths.STUDIES.glob("*/printed.yaml")}


def complete_figures(config: Config) -> list[str]:
    """Built figures, those of sweeps included. Figures of the images themselves are left out: their licences forbid it."""
    from cellar import figures

    built = [entry for entry in figures.catalogue(config).values() if Path(figure_path(entry.id)).is_file()]
    return [entry.id for entry in built if not shows_images(entry.inputs())]


def shows_images(inputs: Iterable[str]) -> bool:
    return any(Path(path).name == "arrays.npz" for path in inputs)


def figure_path(name: str) -> str:
    return str(paths.FIGURES / f"{name}.png")


def records_of(stages: list[Stage]) -> dict[str, dict[str, Any]]:
    """By target, of the stages that have one here. Raises CellarError if none has, as after `dvc pull` alone."""
    found = {stage.target: record for stage in stages if (record := records.read(stage))}
    if not found:
        raise CellarError("no record of these runs is here; fetch them: cellar pull, after cellar push where they ran")
    return found


def write(source: Source, folder: Path) -> Path:
    """Write an archive to a temporary folder beside `folder`, then replace it."""
    temporary = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    params = (source.root / configuration.PARAMS_FILE).read_text(encoding="utf-8")
    files.write_text(temporary / PARAMS, composed.without_modeline(params))
    copy_tables(source, temporary)
    write_scalars(source, temporary)
    layout.write_json(temporary, RECORDS, layout.compact_records(source.records))
    page = archive_page.Page(
        source.name, source.note, source.commit, source.tables, source.figures, source.records,
        verdict_counts(source.root / paths.TABLES / f"{REPEATING}.json"),
    )  # fmt: skip
    files.write_text(temporary / layout.README, page.text(temporary))
    layout.write_sums(temporary)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return folder


def copy_tables(source: Source, folder: Path) -> None:
    for table in source.tables:
        for suffix in ("json", "md"):
            target = folder / layout.TABLES / f"{table}.{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.root / paths.TABLES / f"{table}.{suffix}", target)
    for figure in source.figures:
        compact_figure(source.root / figure_path(figure), folder / layout.FIGURES / f"{figure}.png")


def compact_figure(source: Path, target: Path) -> None:
    """A PNG with 256 colours: a third of the bytes, and curves and matrices look the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as image:
        reduced = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        reduced.save(target, "PNG", optimize=True)


def write_scalars(source: Source, folder: Path) -> None:
    """metrics.json, histories.json, cells.json and lock.json; the lock has the md5 of what is archived in reduced form."""
    made = {file.path: file.md5 for stage in source.stages for file in stage.makes}
    metrics = {path: archived_metrics(source.root / path) for path in sorted(made) if is_metrics(path)}
    metrics = {path: content for path, content in metrics.items() if content}
    texts = {path: source.root / path for path in sorted(made) if path.endswith("history.csv")}
    histories = {path: text.read_text(encoding="utf-8") for path, text in texts.items() if text.is_file()}
    reduced = {path: layout.metrics_md5(content) for path, content in metrics.items()}
    reduced |= {figure_path(name): layout.file_md5(folder / layout.FIGURES / f"{name}.png") for name in source.figures}
    reduced = {path: digest for path, digest in reduced.items() if digest != made.get(path)}
    layout.write_json(folder, METRICS, metrics)
    layout.write_json(folder, HISTORIES, histories)
    layout.write_json(folder, CELLS, {table: cells_of(folder, table, metrics) for table in source.tables})
    stages = {stage.target: entry(stage) for stage in source.stages}
    layout.write_json(folder, LOCK, {"commit": source.commit, "stages": stages, "reduced": reduced})


def is_metrics(path: str) -> bool:
    return path.endswith(".json") and (path.startswith(f"{paths.METRICS}/") or Path(path).name == "manifest.json")


def archived_metrics(path: Path) -> Any:
    """The content of a metrics file, without long lists and mappings if it is large; None if it is not here."""
    if not path.is_file():
        return None
    content = files.read_json(path)
    return content if path.stat().st_size <= WHOLE else scalars(content)


def scalars(value: dict[str, Any]) -> dict[str, Any]:
    """Without the lists and mappings, at whatever depth, that have more than MOST_ENTRIES entries, or none left."""
    short = {k: v for k, v in value.items() if not isinstance(v, dict | list) or len(v) <= MOST_ENTRIES}
    inner = {k: scalars(v) if isinstance(v, dict) else v for k, v in short.items()}
    return {k: v for k, v in inner.items() if not isinstance(v, dict) or v}


def cells_of(folder: Path, table: str, metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Row → column → formula of the cells that archived scalars give."""
    content = cell_names.read_table(folder / layout.TABLES / f"{table}.json")
    labels = {column["id"]: [column["id"], column["label"]] for column in content["columns"]}
    flat = {path: leaves(metrics[path]) for path in metrics}
    rows: dict[str, dict[str, str]] = {}
    for row in content["rows"]:
        for column, cell in row["cells"].items():
            used = [flat[path] for path in formulas.sources(cell, flat)]
            formula = formulas.search(cell, [row["id"], row["label"], *labels[column]], used)
            if cell["value"] is not None and formula:
                rows.setdefault(row["id"], {})[column] = formula
    return rows


def entry(stage: Stage) -> dict[str, Any]:
    """A stage as lock.json has it, sorted by path."""
    stage = replace(
        stage,
        reads=tuple(sorted(stage.reads, key=attrgetter("path"))),
        makes=tuple(sorted(stage.makes, key=attrgetter("path"))),
    )
    deps, outs = ({file.path: file.md5 for file in group} for group in (stage.reads, stage.makes))
    return {"command": stage.command, "params": stage.params, "deps": deps, "outs": outs}


def verdict_counts(table: Path) -> dict[str, int]:
    """Verdict → how many printed values have it; empty if the table of verdicts is not built."""
    if not table.is_file():
        return {}
    verdicts = [row["cells"]["verdict"]["value"] for row in cell_names.read_table(table)["rows"]]
    return {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts), key=str)}
