"""Which cell a person means: ids and printed labels in any case, and close names where none fits.

Names of tables are looked for among those that are built here, or that a commit keeps.
"""

import difflib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from cellar import files, paths
from cellar.errors import CellarError
from cellar.provenance import git, lineage

MOST_NAMED = 30  # in a message: `verdicts` has hundreds of rows
HEAD = {"id", "title", "study", "scale", "rows", "columns"}


def built_table(name: str) -> dict[str, Any]:
    """The JSON of a built table, by id or title. Raises CellarError when it is unknown or not built."""
    built = paths.built(paths.TABLES, ".json")
    found = chosen(name, [*built, *(table for table in planned() if table not in built)], "the project")
    if found not in built:
        target = paths.TABLES / f"{found}.md"
        raise CellarError(f"{found} is not built yet; build it with: snakemake --cores 4 {target}")
    return read_table(built[found])


def table_at(name: str, commit: str) -> dict[str, Any]:
    """A table as a commit keeps it. Raises CellarError when it keeps none of that name."""
    tracked = [path for path in git.files_at(commit, paths.TABLES) if path.suffix == ".json"]
    kept = {str(path.relative_to(paths.TABLES).with_suffix("")): path for path in tracked}
    path = kept[chosen(name, list(kept), f"commit {commit[:7]}")]
    try:
        return checked(json.loads(git.file_at(commit, path) or ""), path)
    except json.JSONDecodeError:
        raise CellarError(f"{path} of commit {commit[:7]} is not JSON; compare with another commit") from None


def chosen(name: str, known: list[str], where: str) -> str:
    match = [table for table in known if same(table, name)]
    if not match:
        raise CellarError(unknown("table", name, known, where))
    return match[0]


def read_table(path: Path) -> dict[str, Any]:
    return checked(files.read_json(path), path)


def checked(found: Any, path: Path) -> dict[str, Any]:
    if not isinstance(found, dict) or not found.keys() >= HEAD:
        raise CellarError(f"{path} is not a table; build it again: snakemake --cores 4 --force {path}")
    return found


def planned() -> list[str]:
    """The tables that a dvc.yaml has a stage for."""
    outputs = [path for file in paths.pipeline_files() for path in outputs_of(file)]
    return [
        str(path.relative_to(paths.TABLES).with_suffix("")) for path in outputs if path.is_relative_to(paths.TABLES)
    ]


def outputs_of(pipeline: Path) -> list[Path]:
    """The JSON files that the stages of a dvc.yaml keep in git."""
    stages = yaml.load(pipeline.read_text(encoding="utf-8"), Loader=lineage.Loader).get("stages") or {}
    outs = [path for stage in stages.values() for path in paths.outputs_of(stage)]
    return [Path(path) for path in outs if path.endswith(".json")]


def find(table: dict[str, Any], row: str, column: str, where: str = "") -> tuple[dict[str, Any], dict[str, Any], Any]:
    """The row, the column and the cell that two names mean. Raises CellarError for a name that none or several have."""
    where = where or str(table["id"])
    line, head = pick("row", row, table["rows"], where), pick("column", column, table["columns"], where)
    if head["id"] not in line["cells"]:
        raise CellarError(
            f"{where}: row {line['id']} has no cell in column {head['id']}; it has: {', '.join(line['cells'])}"
        )
    return line, head, line["cells"][head["id"]]


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
    named = ", ".join(known[:MOST_NAMED]) or "none"
    rest = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return f"{where} has no {what} {name!r}{hint}; known: {named}{rest}"
