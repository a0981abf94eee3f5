"""The commands that make one cell again from a fresh clone, and what a clone lacks for that.

`explain` prints them, `redo` runs them. Of the cell itself nothing is taken from what is built: --force runs each
stage anew.
"""

import shlex
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.provenance import git
from cellar.provenance.lineage import File, Lineage, Stage

RESOLVE = "dvc repro --quiet --single-item resolve"  # the settings of all stages, which a clone is without


def commands(table: str, sources: list[str], graph: Lineage) -> list[str]:
    """For a shell anywhere, from a fresh clone of the present commit to the cell's own table.

    Only the cell's own stages are made again; the table's other cells stand on files that git keeps or that are
    copied from here.
    """
    raw, others = external_inputs(graph.chain(sources), graph), other_inputs(table, sources, graph)
    downloads = {file.path: address for file in raw if (address := download(file, graph))}
    copied = [file for file in [*raw, *others] if file.path not in downloads and Path(file.path).exists()]
    return [
        f"git clone {shlex.quote(git.origin())} redo",
        "cd redo",
        f"git checkout {git.git('rev-parse', 'HEAD') or 'HEAD'}",
        "make setup",
        ". .venv/bin/activate",
        *downloads.values(),
        *([copying(copied)] if copied else []),
        *building(table, sources, graph),
    ]


def building(table: str, sources: list[str], graph: Lineage) -> list[str]:
    """The part that makes: the cell's chain, in one run so that what two runs share is made once; then its table, after
    the one that it takes the cell from, if any.

    Without the table, if it stands on more than is here.
    """
    makers = list(dict.fromkeys(made[0].target for path in sources if (made := graph.maker(path))))
    chained = [f"dvc repro --force {' '.join(map(shlex.quote, makers))}"] if makers else [RESOLVE]
    tables, others = tabulating(table, sources, graph), other_inputs(table, sources, graph)
    if any(not Path(file.path).exists() for file in others):
        return chained
    return [*chained, *(f"dvc repro --force --single-item {shlex.quote(stage.target)}" for stage in tables)]


def tabulating(table: str, sources: list[str], graph: Lineage) -> list[Stage]:
    """The stage that makes the table, after those of other tables that it shows the cell of: `verdicts` shows all."""
    last = table_stage(table, graph)
    if last is None:
        return []
    read = {file.path for file in last.reads}
    shown = [
        stage
        for stage in graph.stages
        if any(file.path in read for file in stage.makes) and any(file.path in sources for file in stage.reads)
    ]
    return [*(stage for stage in shown if stage.name.startswith("tabulate-")), last]


def table_stage(table: str, graph: Lineage) -> Stage | None:
    made = graph.maker(str(paths.TABLES / f"{table}.json"))
    return made[0] if made else None


def external_inputs(stages: list[Stage], graph: Lineage) -> list[File]:
    """What no stage made and git does not keep: raw data, published weights. A clone is without them."""
    return lacking([file for stage in stages for file in stage.data if graph.maker(file.path) is None])


def other_inputs(table: str, sources: list[str], graph: Lineage) -> list[File]:
    """What the table's other cells stand on, and a clone is without."""
    tables = tabulating(table, sources, graph)
    made = {file.path for stage in [*graph.chain(sources), *tables] for file in stage.makes}
    return lacking([file for stage in tables for file in stage.data if file.path not in made])


def lacking(needed: list[File]) -> list[File]:
    found = {file.path: file for file in needed}
    kept = git.in_git(found)
    return [file for path, file in found.items() if path not in kept]


def download(file: File, graph: Lineage) -> str | None:
    """The command that fetches a data set's raw files, where that can be done."""
    for stage in graph.stages:
        if any(read.path == file.path for read in stage.reads) and can_be_fetched(stage.params.get("section")):
            return f"cellar download {shlex.quote(str(stage.params['dataset']))}"
    return None


def can_be_fetched(section: Any) -> bool:
    """`section`: a data set's, from the settings of the stage that prepares it."""
    source = section.get("source", {}) if isinstance(section, dict) else {}
    return any(source.get(way) for way in ("url", "torchvision", "kaggle"))


def copying(found: list[File]) -> str:
    """From the project here into the clone, under the same paths."""
    named = " ".join(shlex.quote(path) for path in sorted(file.path for file in found))
    return f'(cd {shlex.quote(str(Path.cwd()))} && cp -rL --parents {named} "$OLDPWD")'
